-- The journal: kinds and states of runs, and what they measured as rows.
begin;
select plan(13);

-- A schema of before, in which an import is known by its parameters alone.
alter table trivet.run drop constraint run_kind_check, drop constraint run_state_check, drop constraint run_makes_model_check;
select lives_ok($$insert into trivet.run (state, parameters) values ('kept', '{"imported_from": "/x"}'), ('kept', '{}')$$, 'two models of before');
set local client_min_messages = warning;
\ir ../../sql/001_schema.sql
select results_eq('select kind from trivet.run order by id', array['import', 'fit'], 'are told apart afterwards');
select throws_ok($$insert into trivet.run (kind) values ('dream')$$, '23514', null, 'no other kind');
select throws_ok($$insert into trivet.run (state) values ('asleep')$$, '23514', null, 'no other state');
select throws_ok($$insert into trivet.run (state) values ('done')$$, '23514', null, 'a training does not end as done');
select throws_ok($$insert into trivet.run (kind, state) values ('evaluate', 'live')$$, '23514', null, 'an evaluation is never live');
select throws_ok($$insert into trivet.run (kind, state) values ('search', 'kept')$$, '23514', null, 'nor is a search kept');

-- Which runs are under way.
select is((select trivet.run_is_held(3)), false, 'nobody holds the run');
select lives_ok('select trivet.hold_run(3)', 'now somebody does');
select is((select array[trivet.run_is_held(3), trivet.run_is_held(4)]), array[true, false], 'that one alone');

-- Numbers as rows.
insert into trivet.run (id, kind, state, metrics) overriding system value values (100, 'evaluate', 'done', '{"split": {"kind": "random"},
    "methods": [{"name": "als", "model": true, "train_fraction": 0.5, "rmse": {"value": 0.9, "low": 0.8, "high": 1}, "mae": 0.7, "r2": null,
                 "at": {"5": {"ndcg": {"value": 0.3, "low": 0.2, "high": 0.4}, "mrr": 0.5}, "10": {"recall": 0.25}}},
                {"name": "mean", "model": false, "train_fraction": 1, "rmse": null, "at": null}]}'), (101, 'search', 'done', '{"methods": 3}');
select results_eq('select * from trivet.run_metrics(100)', $$values
    ('als'::text, true, 0.5::float8, 'rmse'::text, 0.9::float8, 0.8::float8, 1::float8), ('als', true, 0.5, 'mae', 0.7, null, null),
    ('als', true, 0.5, 'ndcg@5', 0.3, 0.2, 0.4), ('als', true, 0.5, 'mrr@5', 0.5, null, null), ('als', true, 0.5, 'recall@10', 0.25, null, null)$$,
    'run_metrics: what is null is no row');
select is_empty('select * from trivet.run_metrics(101)', 'nothing of metrics of another shape');
select is((select value from trivet.run_sheet(100) where name = 'metric rmse of 0.5'), '0.900000 (0.800000 .. 1.000000)', 'the sheet shows a number with its interval');

select * from finish();
rollback;
