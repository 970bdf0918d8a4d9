-- 021_search: searches for settings (trivet-train search), so that one that was killed goes on where it was.
--
-- A search is known by its fingerprint: the ratings, how they are divided, and every setting it tries. The same command
-- on the same ratings is the same search, so its finished trials are there already.

create table if not exists trivet.search (
    id          bigint generated always as identity primary key,
    fingerprint text not null unique,
    started_at  timestamptz not null default now(),
    finished_at timestamptz,
    command     text not null,
    flags       jsonb not null,
    metric      text not null,
    trials      int not null,
    run_id      bigint
);
alter table trivet.search add column if not exists dataset bigint;
alter table trivet.search alter column dataset set default trivet.current_dataset();
comment on table trivet.search is 'One row a search for settings. Deleting a row deletes its trials, and the same command begins anew.';
comment on column trivet.search.id is 'Number of the search: trivet-train search --resume.';
comment on column trivet.search.fingerprint is 'Hash of the ratings, of how they are divided, and of every setting to try.';
comment on column trivet.search.started_at is 'When it began.';
comment on column trivet.search.finished_at is 'When the last trial was done; null: some are missing.';
comment on column trivet.search.command is 'The command line.';
comment on column trivet.search.flags is 'The same as an array of its flags, which --resume reads.';
comment on column trivet.search.metric is 'What decides: rmse or ndcg@10.';
comment on column trivet.search.trials is 'How many settings it tries.';
comment on column trivet.search.dataset is 'The data set that it reads; null: ratings come from files, or the search is an older trivet''s.';
comment on column trivet.search.run_id is 'Its row in the journal, trivet.run, once it is finished.';

create table if not exists trivet.search_result (
    search_id   bigint not null references trivet.search (id) on delete cascade,
    number      int not null,
    settings    jsonb not null,
    finished_at timestamptz not null default now(),
    seconds     double precision not null,
    value       double precision,
    low         double precision,
    high        double precision,
    message     text,
    primary key (search_id, number),
    check ((value is null) = (message is not null))
);
comment on table trivet.search_result is 'One row a trial that is done: settings, and how good they are on the validation part.';
comment on column trivet.search_result.search_id is 'The search.';
comment on column trivet.search_result.number is 'Place among its trials, from 1.';
comment on column trivet.search_result.settings is 'What was learned with: flags of trivet-train fit and parameters of the filter.';
comment on column trivet.search_result.finished_at is 'When it was done.';
comment on column trivet.search_result.seconds is 'How long learning took, while other trials may have been at work.';
comment on column trivet.search_result.value is 'The metric on the validation part; null: it could not be learned or judged.';
comment on column trivet.search_result.low is 'Lower end of the 95 % interval.';
comment on column trivet.search_result.high is 'Its upper end.';
comment on column trivet.search_result.message is 'Why there is no value.';

-- Searches over values of the filter (--over) were journaled with the filter that all their trials had in common, beside
-- numbers of the winner's. What won stands in their metrics, so rows of older programs are put right here. Values are integers.
do $$
declare
    r record;
    one record;
    inside text;
begin
    for r in select s.id, s.source, s.filter, b.best
             from trivet.run s
             cross join lateral (select jsonb_object_agg(e.key, e.value) as best
                                 from jsonb_each(case jsonb_typeof(s.metrics #> '{best,settings}')
                                                 when 'object' then s.metrics #> '{best,settings}' else '{}' end) e
                                 where s.filter ? e.key and jsonb_typeof(e.value) = 'number') b
             where s.kind = 'search' and not s.filter @> coalesce(b.best, '{}')
    loop
        inside := substring(r.source from '^trivet\.user_item\((.*)\)$');
        for one in select e.key, e.value from jsonb_each(r.best) e where r.filter -> e.key is distinct from e.value loop
            inside := regexp_replace(inside, '(^|, )' || one.key || ' => [0-9]+', '');
            inside := inside || ', ' || one.key || ' => ' || one.value;
        end loop;
        update trivet.run set filter = r.filter || r.best,
                              source = coalesce('trivet.user_item(' || regexp_replace(inside, '^, ', '') || ')', source)
        where id = r.id;
    end loop;
end
$$;
