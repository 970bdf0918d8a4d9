-- 007_journal: the journal as people read it.

create or replace view trivet.run_list as
    select id as run, state, date_trunc('second', started_at) as started,
           extract(epoch from finished_at - started_at)::numeric(10, 1) as seconds,
           algorithm, (parameters ->> 'factors')::int as factors,
           (counts ->> 'rows')::bigint as ratings, (counts ->> 'users')::bigint as users,
           (counts ->> 'items')::bigint as items, source, coalesce(message, '') as message
    from trivet.run order by id;
comment on view trivet.run_list is 'One line a run: when, how, from how much, and why it failed.';
comment on column trivet.run_list.run is 'Number of the run and of its model.';
comment on column trivet.run_list.state is 'State, as in trivet.run.';
comment on column trivet.run_list.started is 'When it began.';
comment on column trivet.run_list.seconds is 'How long it took until the model was whole, or it failed.';
comment on column trivet.run_list.algorithm is 'How it factorised.';
comment on column trivet.run_list.factors is 'Factors asked for.';
comment on column trivet.run_list.ratings is 'Ratings learned from.';
comment on column trivet.run_list.users is 'Users learned from.';
comment on column trivet.run_list.items is 'Items learned from.';
comment on column trivet.run_list.source is 'The FROM of the training rows.';
comment on column trivet.run_list.message is 'Why it failed.';

create or replace function trivet.run_sheet(run_id bigint)
returns table (name text, value text)
language sql stable parallel safe as $$
    with r as (select * from trivet.run where id = run_sheet.run_id)
    select v.name, v.value from (
        select 1 as place, 'run' as name, id::text as value from r
        union all select 2, 'state', state from r
        union all select 3, 'started', date_trunc('second', started_at)::text from r
        union all select 4, 'finished', date_trunc('second', finished_at)::text from r
        union all select 5, 'live since', date_trunc('second', live_at)::text from r where live_at is not null
        union all select 6, 'data', data ->> 'name' from r
        union all select 7, 'fingerprint', fingerprint from r
        union all (select 8, 'filter ' || f.key, f.value from r, jsonb_each_text(r.filter) f order by f.key)
        union all (select 9, 'parameter ' || p.key, p.value from r, jsonb_each_text(r.parameters) p order by p.key)
        union all (select 10, 'count ' || c.key, c.value from r, jsonb_each_text(r.counts - 'seconds') c order by c.key)
        union all (select 11, 'seconds ' || s.key, s.value from r, jsonb_each_text(r.counts -> 'seconds') s order by s.key)
        union all (select 12, 'metric ' || m.key, m.value from r, jsonb_each_text(r.metrics) m order by m.key)
        union all select 13, 'message', message from r where message is not null
        union all select 14, 'SQL', 'SELECT userid, movieid, rating FROM ' || source from r
        union all select 15, 'command', command from r
    ) v order by v.place, v.name
$$;
comment on function trivet.run_sheet(bigint) is 'All that the journal knows about one run, a line a fact; the last lines are the SQL and the command that repeat it.';
