-- 008_codes: ids that are text. The table trivet.code (001_schema) gives each a number; here are the ways between the
-- two, for queries, for loads and for ratings that come live.
--
-- An id that is a plain integer is that number itself, and stands in no table. Numbers of codes lie from
-- 8,000,000,000,000,000 up, below 9,000,000,000,000,000: loads take them from the first half, one after the other,
-- the live ones come from the sequence trivet.code_live, the second half. include/trivet/base/code.h says the same.

create or replace function trivet.code_number(code text) returns bigint
language sql immutable parallel safe as $$
    select case when code ~ '^(0|-?[1-9][0-9]{0,18})$'
                 and code::numeric between -9223372036854775808 and 9223372036854775807
                 and not code::numeric between 8000000000000000 and 8999999999999999
           then code::bigint end
$$;
comment on function trivet.code_number(text) is 'The number of an id that is a plain integer; null for any other, which is a code.';

create or replace function trivet.user_id(code text) returns bigint
language sql stable parallel safe as $$
    select coalesce(trivet.code_number(code), (select c.id from trivet.code c where c.kind = 'user' and c.code = $1))
$$;
comment on function trivet.user_id(text) is 'The number that a user has in the tables: of a code from trivet.code, of a plain integer itself. Null for a code that nobody has.';

create or replace function trivet.item_id(code text) returns bigint
language sql stable parallel safe as $$
    select coalesce(trivet.code_number(code), (select c.id from trivet.code c where c.kind = 'item' and c.code = $1))
$$;
comment on function trivet.item_id(text) is 'The number that an item has in the tables: of a code from trivet.code, of a plain integer itself. Null for a code that no item has.';

create or replace function trivet.user_code(id bigint) returns text
language sql stable parallel safe as $$
    select coalesce((select c.code from trivet.code c where c.kind = 'user' and c.id = $1), id::text)
$$;
comment on function trivet.user_code(bigint) is 'What the data calls a user: the code, or the number as text.';

create or replace function trivet.item_code(id bigint) returns text
language sql stable parallel safe as $$
    select coalesce((select c.code from trivet.code c where c.kind = 'item' and c.id = $1), id::text)
$$;
comment on function trivet.item_code(bigint) is 'What the data calls an item: the code, or the number as text.';

create or replace function trivet.code_kinds() returns table (users boolean, items boolean)
language sql stable parallel safe as $$
    select exists (select from trivet.code where kind = 'user'), exists (select from trivet.code where kind = 'item')
$$;
comment on function trivet.code_kinds() is 'Whether any user, and any item, is known by a code.';

create or replace view trivet.audience as
    select r.item_id, coalesce(c.code, r.user_id::text) as element, r.user_id, r.value, r.rated_at
    from trivet.rating r left join trivet.code c on c.kind = 'user' and c.id = r.user_id
    where (select trivet.check_snapshot());
comment on view trivet.audience is 'Who rated or played what, with the text that a user is known by outside: what signatures of audiences are made of.';
comment on column trivet.audience.item_id is 'The item.';
comment on column trivet.audience.element is 'The user''s code, or the number as decimal text.';
comment on column trivet.audience.user_id is 'The user''s number in the tables.';
comment on column trivet.audience.value is 'The rating, or the count.';
comment on column trivet.audience.rated_at is 'When; null where the source does not say.';

create or replace function trivet.code_id(kind text, code text) returns bigint
language plpgsql as $$
declare
    found bigint := trivet.code_number(code);
begin
    if found is not null then
        return found;
    end if;
    select c.id into found from trivet.code c where c.kind = $1 and c.code = $2;
    if found is null then
        insert into trivet.code as c (kind, id, code) values ($1, nextval('trivet.code_live'), $2)
        on conflict on constraint code_kind_code_key do nothing returning c.id into found;
    end if;
    if found is null then -- somebody else was quicker
        select c.id into found from trivet.code c where c.kind = $1 and c.code = $2;
    end if;
    return found;
end
$$;
comment on function trivet.code_id(text, text) is 'The number of a user (kind user) or an item (kind item) by code, for a rating that comes live: a code not known yet gets one.';

-- A code that came live while a load was reading has a number already: what was loaded under the load's own one takes that.
-- First come the codes themselves. Whoever wants the same one at that moment waits for the other's transaction, so no lock
-- on the table is needed, which would keep out everybody with a new code.
create or replace function trivet.load_publish_codes(load bigint) returns bigint
language plpgsql as $$
declare
    n bigint;
begin
    insert into trivet.code (kind, id, code)
    select kind, id, code from pg_temp.load_code on conflict on constraint code_kind_code_key do nothing;
    get diagnostics n = row_count;
    if n = (select count(*) from pg_temp.load_code) then
        return n;
    end if;
    create temporary table load_renumber on commit drop as
        select l.kind, l.id as old, c.id as new from pg_temp.load_code l join trivet.code c using (kind, code) where l.id <> c.id;
    execute format('update trivet.rating_load_%s r set user_id = n.new from pg_temp.load_renumber n '
                   'where n.kind = ''user'' and r.user_id = n.old', load);
    execute format('update trivet.rating_load_%s r set item_id = n.new from pg_temp.load_renumber n '
                   'where n.kind = ''item'' and r.item_id = n.old', load);
    update pg_temp.load_item i set item_id = n.new from pg_temp.load_renumber n where n.kind = 'item' and i.item_id = n.old;
    update pg_temp.load_tag t set item_id = n.new from pg_temp.load_renumber n where n.kind = 'item' and t.item_id = n.old;
    update pg_temp.load_tag t set user_id = n.new from pg_temp.load_renumber n where n.kind = 'user' and t.user_id = n.old;
    return n;
end
$$;
comment on function trivet.load_publish_codes(bigint) is 'The codes that a load met first, into trivet.code, before its items. Returns how many.';

-- Plays come one row a play as well as counted. What a model learns from is the value of a pair, so it must be their sum.
-- The sum of reals is a real, which stands still at 2^24 plays of one each and overflows: so it is made in double precision,
-- and one beyond a real is the largest real, which no model learns from.
create or replace function trivet.load_add_up(load bigint) returns bigint
language plpgsql as $$
declare
    name text := format('trivet.rating_load_%s', load);
    n bigint;
begin
    execute format('create temporary table load_pair on commit drop as select user_id, item_id, '
                   'least(sum(value::float8), 3.4e38)::real as value, '
                   'max(rated_at) as rated_at from %s group by user_id, item_id', name);
    execute format('truncate %s', name);
    execute format('insert into %s (user_id, item_id, value, rated_at) select user_id, item_id, value, rated_at '
                   'from pg_temp.load_pair order by user_id, item_id', name);
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function trivet.load_add_up(bigint) is 'One row a pair of user and item in a load''s table: the sum of its values, and the last time. Returns the rows.';

-- What it told stands in trivet.load.low and high.
drop function if exists trivet.load_largest(bigint);

-- As in load_publish_codes, the codes come first: what clashes then was there before, and nothing that clashes can come. A table of
-- codes that are away has no constraint, so nothing is inserted twice there by the first condition alone.
create or replace function trivet.import_codes(name text) returns text
language plpgsql as $$
declare
    codes regclass := trivet.codes_of(trivet.dataset_named(import_codes.name));
    clash text;
begin
    execute format('insert into %s (kind, id, code) select i.kind, i.id, i.code from pg_temp.import_code i '
                   'where not exists (select from %1$s c where c.kind = i.kind and (c.id = i.id or c.code = i.code)) on conflict do nothing', codes);
    execute format('select format(''%%s %%s is %%s there and %%s here'', i.kind, i.code, i.id, '
                   '    coalesce(c.id::text || case when c.code <> i.code then '' of '' || c.code else '''' end, ''?'')) '
                   'from pg_temp.import_code i join %s c on c.kind = i.kind and (c.code = i.code) <> (c.id = i.id) limit 1', codes)
    into clash;
    if clash is null then
        perform setval('trivet.code_live', greatest(nextval('trivet.code_live'),
            (select max(id) + 1 from pg_temp.import_code where id >= 8500000000000000)), false);
    end if;
    return clash;
end
$$;
comment on function trivet.import_codes(text) is 'Takes in the codes of a model that another trivet trained, from pg_temp.import_code, as those of the data set of a name. Null, or the first that means another user or item here: then the caller rolls back.';
