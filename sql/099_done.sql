-- 099_done: the last file: says that all before it are through. What applies them (trivet-etl, trivet-train) then writes the hash of
-- its files instead.
update trivet.schema_version set files = 'applied by hand'
where files is null and version = (select max(version) from trivet.schema_version);
