-- 007_journal: the journal as people read it, and which of its runs are under way.

-- --- runs that hold themselves --------------------------------------------------------------------------------

-- Evaluations and searches write no model, so they take no lock and go on beside a training. Instead, the connection of
-- each holds an advisory lock of its own, in the space of two numbers: 'triv' in ASCII, and the id's lower 31 bits.

create or replace function trivet.hold_run(run_id bigint) returns void
language sql volatile as $$ select pg_advisory_lock(1953655158, (run_id & 2147483647)::int) $$;
comment on function trivet.hold_run(bigint) is 'Marks a run as under way until this connection ends.';

create or replace function trivet.run_is_held(run_id bigint) returns boolean
language sql stable as $$
    select exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.granted and l.objsubid = 2
          and l.database = (select oid from pg_database where datname = current_database())
          and l.classid::bigint = 1953655158 and l.objid::bigint = run_is_held.run_id & 2147483647)
$$;
comment on function trivet.run_is_held(bigint) is 'True while a connection holds this run: its process is there.';

-- --- what was measured -----------------------------------------------------------------------------------------

create or replace function trivet.run_metrics(run_id bigint)
returns table (method text, is_model boolean, train_fraction float8, measure text, value float8, low float8, high float8)
language sql stable parallel safe as $$
    with methods as (
        select m.place, m.method
        from trivet.run r,
             jsonb_array_elements(case jsonb_typeof(r.metrics -> 'methods') when 'array' then r.metrics -> 'methods' else '[]' end)
                 with ordinality m(method, place)
        where r.id = run_metrics.run_id
    ), measures as (
        select place, method, 0 as k, name, method -> name as value
        from methods, unnest(array['rmse', 'mae', 'r2']) name
        union all
        select place, method, cut.key::int, name || '@' || cut.key, cut.value -> name
        from methods, jsonb_each(coalesce(nullif(method -> 'at', 'null'), '{}')) cut,
             unnest(array['ndcg', 'precision', 'recall', 'map', 'hit_rate', 'mrr', 'coverage', 'popularity', 'overlap', 'jaccard']) name
    )
    select method ->> 'name', (method ->> 'model')::boolean, (method ->> 'train_fraction')::float8, name,
           case jsonb_typeof(value) when 'object' then value ->> 'value' else value #>> '{}' end::float8,
           case jsonb_typeof(value) when 'object' then value ->> 'low' end::float8,
           case jsonb_typeof(value) when 'object' then value ->> 'high' end::float8
    from measures
    where jsonb_typeof(value) in ('number', 'object')
    order by place, k, array_position(array['rmse', 'mae', 'r2', 'ndcg', 'precision', 'recall', 'map', 'hit_rate', 'mrr', 'coverage',
                                            'popularity', 'overlap', 'jaccard'], split_part(name, '@', 1))
$$;
comment on function trivet.run_metrics(bigint) is
'What a run measured on ratings kept apart, a row a number: of the model and of the baselines beside it. low and high are
the bounds of the 95 % interval, where there is one. docs/metrics.md says what each measure means.
    select * from trivet.run_metrics(12) where measure in (''rmse'', ''ndcg@10'');';

create or replace function trivet.metric_text(value float8, low float8, high float8) returns text
language sql immutable parallel safe as $$
    select coalesce(round(metric_text.value::numeric, 6)::text, '')
        || coalesce(' (' || round(metric_text.low::numeric, 6) || ' .. ' || round(metric_text.high::numeric, 6) || ')', '')
$$;
comment on function trivet.metric_text(float8, float8, float8) is 'A number and its interval as people read it: 0.314159 (0.30 .. 0.33).';

-- --- what models were made of --------------------------------------------------------------------------------

create or replace function trivet.model_data(run_id bigint, out dataset bigint, out name text, out loaded text, out state text)
language sql stable parallel safe as $$
    select r.dataset, coalesce(d.name, r.data ->> 'dataset', r.data ->> 'name'), (select c.name from trivet.dataset c where c.current),
           case when r.dataset is null then 'unknown'
                when d.id is null then 'gone'
                when not d.current then 'away'
                -- An import's loads are of another installation, which nothing here tells the age of; but what was loaded after it is newer.
                when case when r.kind = 'import' then exists (select from trivet.load l where l.state = 'complete' and l.finished_at > r.started_at)
                     else (select array_agg((l ->> 'id')::bigint order by (l ->> 'id')::bigint)
                          from jsonb_array_elements(case jsonb_typeof(r.data -> 'loads') when 'array' then r.data -> 'loads' else '[]' end) l)
                         is distinct from (select array_agg(l.id order by l.id) from trivet.load l where l.state = 'complete') end then 'older'
                else 'current' end
    from trivet.run r left join trivet.dataset d on d.id = r.dataset where r.id = model_data.run_id
$$;
comment on function trivet.model_data(bigint) is
'The data set that a run read, the name of the one that is loaded, and what the two have to do with each other: current (it read
what is loaded now, but for single ratings), older (its data set was loaded again since), away (another one is loaded), gone (it was
dropped), or unknown (an older trivet''s run, or one on files).';

-- --- reports -------------------------------------------------------------------------------------------------

create or replace view trivet.run_list as
    select id as run, state, date_trunc('second', started_at) as started,
           extract(epoch from finished_at - started_at)::numeric(10, 1) as seconds,
           algorithm, coalesce((counts ->> 'factors')::int, (parameters ->> 'factors')::int) as factors,
           (counts ->> 'rows')::bigint as ratings, (counts ->> 'users')::bigint as users,
           (counts ->> 'items')::bigint as items, source, coalesce(message, '') as message, kind,
           (select d.name from trivet.dataset d where d.id = r.dataset) as dataset
    from trivet.run r order by id;
comment on view trivet.run_list is 'One line a run: when, how, from how much, and why it failed.';
comment on column trivet.run_list.run is 'Number of the run, and of its model if it makes one.';
comment on column trivet.run_list.state is 'State, as in trivet.run.';
comment on column trivet.run_list.started is 'When it began.';
comment on column trivet.run_list.seconds is 'How long it took until the model was whole, or it failed.';
comment on column trivet.run_list.algorithm is 'How it factorised.';
comment on column trivet.run_list.factors is 'Factors that its model has, which a small matrix makes fewer than asked for; of a run without a model, and of older ones, those asked for.';
comment on column trivet.run_list.ratings is 'Ratings learned from.';
comment on column trivet.run_list.users is 'Users learned from.';
comment on column trivet.run_list.items is 'Items learned from.';
comment on column trivet.run_list.source is 'The FROM of the training rows.';
comment on column trivet.run_list.message is 'Why it failed.';
comment on column trivet.run_list.kind is 'fit, import, evaluate or search.';
comment on column trivet.run_list.dataset is 'The data set it read; null: none that is known.';

create or replace function trivet.run_sheet(run_id bigint)
returns table (name text, value text)
language sql stable parallel safe as $$
    with r as (select * from trivet.run where id = run_sheet.run_id)
    select v.name, v.value from (
        select 1 as place, 'run' as name, id::text as value from r
        union all select 2, 'kind', kind from r
        union all select 2, 'state', state from r
        union all select 3, 'started', date_trunc('second', started_at)::text from r
        union all select 4, 'finished', date_trunc('second', finished_at)::text from r
        union all select 5, case when state = 'live' then 'live since' else 'last made live' end, date_trunc('second', live_at)::text
                  from r where live_at is not null
        union all select 6, 'data', data ->> 'name' from r
        union all select 6, 'data set', d.name from r join trivet.dataset d on d.id = r.dataset
        union all select 7, 'fingerprint', fingerprint from r
        union all (select 8, 'filter ' || f.key, f.value from r, jsonb_each_text(r.filter) f order by f.key)
        union all (select 9, 'parameter ' || p.key, p.value from r, jsonb_each_text(r.parameters) p order by p.key)
        union all (select 10, 'count ' || c.key, c.value from r, jsonb_each_text(r.counts - 'seconds') c order by c.key)
        union all (select 11, 'seconds ' || s.key, s.value from r, jsonb_each_text(r.counts -> 'seconds') s order by s.key)
        union all (select 12, p.part || ' ' || m.key, m.value
                   from r, unnest(array['split', 'holdout']) p(part),
                        jsonb_each_text(case jsonb_typeof(r.metrics -> p.part) when 'object' then r.metrics -> p.part else '{}' end) m
                   where m.value is not null)
        union all (select 12, 'metric ' || m.key, m.value
                   from r, jsonb_each_text(r.metrics - array['methods', 'split', 'holdout']) m where m.value is not null)
        union all select 13, 'metric ' || case when m.is_model then '' else m.method || ' ' end || m.measure
                             || case when m.train_fraction < 1 then ' of ' || m.train_fraction else '' end,
                         trivet.metric_text(m.value, m.low, m.high)
                  from r, trivet.run_metrics(r.id) m
                  where m.measure in ('rmse', 'ndcg@10') or (m.is_model and (m.measure in ('mae', 'r2') or m.measure like '%@10'))
        union all select 14, 'message', message from r where message is not null
        union all select 15, 'SQL', 'SELECT userid, movieid, rating FROM ' || source from r
        union all select 16, 'command', command from r
    ) v order by v.place, v.name
$$;
comment on function trivet.run_sheet(bigint) is 'All that the journal knows about one run, a line a fact; the last lines are the SQL and the command that repeat it.';
