-- What the journal knows of quality, as rows: numbers worked out by hand from documents written by hand.
begin;
select plan(37);

select results_eq($$select trivet.measured(m::jsonb) from (values (1, '0.25'), (2, '{"value": 0.5, "low": 0.4}'), (3, '{"low": 1}'), (4, 'null'), (5, '"0.5"'), (6, '[1]'), (7, null)) t (place, m) order by place$$,
    $$values (0.25::float8), (0.5), (null), (null), (null), (null), (null)$$, 'a measure with and without an interval');
select results_eq($$select trivet.json_rows('[3, 1, {"a": 2}]')$$, $$values ('3'::jsonb), ('1'), ('{"a": 2}')$$, 'elements in their order');
select is_empty($$select trivet.json_rows('{"a": 1}') union all select trivet.json_rows(null) union all select trivet.json_rows('5') union all select trivet.json_rows('[]')$$, 'no elements of anything else');

-- Nothing in the journal, or nothing measured.
delete from trivet.run;
select is_empty('select * from trivet.evaluations()', 'no evaluation');
select is_empty('select * from trivet.searches()', 'no search');
insert into trivet.run (id, state, kind, algorithm, parameters, counts, data, finished_at) overriding system value
    values (1, 'live', 'fit', 'svd', '{"factors": 50}', '{"rows": 900, "users": 30, "items": 40, "users_served": 35}', '{"name": "a set"}', now() - interval '1 hour'),
           (2, 'failed', 'import', 'als', '{"factors": 8}', '{}', '{}', null);
update trivet.run set message = 'no room' where id = 2;
select results_eq('select model, kind, state, age_seconds, algorithm, factors, ratings, users, items, users_served, data, message from trivet.model',
    $$values (2::bigint, 'import'::text, 'failed'::text, null::bigint, 'als'::text, 8, null::bigint, null::bigint, null::bigint, null::bigint, null::text, 'no room'::text),
             (1, 'fit', 'live', 3600, 'svd', 50, 900, 30, 40, 35, 'a set', '')$$, 'models, the newest first');
select is_empty('select * from trivet.evaluation', 'models without measures were not judged');

-- An evaluation on two shares of the training data.
insert into trivet.run (id, state, kind, algorithm, parameters, filter, data, metrics, finished_at) overriding system value values
    (3, 'done', 'evaluate', 'als', '{"factors": 4, "lambda": 0.1}', '{"genres": null}', '{"name": "a set"}', '{
        "split": {"kind": "random", "test": 0.2}, "training": {"rows": 800, "users": 19, "items": 100}, "holdout": {"rows": 200, "users": 20, "cold_users": 1}, "relevant": 4,
        "methods": [
            {"name": "als", "model": true, "train_fraction": 1, "rmse": {"value": 0.9, "low": 0.8, "high": 1.0}, "mae": 0.7, "r2": 0.3,
             "at": {"5": {"ndcg": 0.3, "popularity": 60}, "10": {"precision": 0.1, "recall": 0.2, "map": 0.15, "ndcg": {"value": 0.4, "low": 0.35, "high": 0.45}, "hit_rate": 0.6, "mrr": 0.5, "coverage": 0.25, "popularity": 50, "overlap": 2, "jaccard": 0.1}}},
            {"name": "als", "model": true, "train_fraction": 0.5, "rmse": {"value": 1.1, "low": 1.0, "high": 1.2}, "mae": null, "r2": null,
             "at": {"10": {"ndcg": {"value": 0.2, "low": 0.15, "high": 0.25}, "popularity": 55}}},
            {"name": "random", "model": false, "train_fraction": 1, "rmse": null, "mae": null, "r2": null, "at": {"10": {"ndcg": 0.01, "popularity": 9}, "100": {"ndcg": 0.02, "popularity": 8}}},
            {"name": "popular", "model": false, "train_fraction": 1, "rmse": null, "at": {"10": {"ndcg": 0.21, "popularity": 90}}}]}', now());
select results_eq('select run, kind, algorithm, factors, method, is_model, train_fraction, rmse, rmse_low, rmse_high, mae, r2, relevant, split ->> ''kind'' from trivet.evaluation where is_model order by train_fraction',
    $$values (3::bigint, 'evaluate'::text, 'als'::text, 4, 'als'::text, true, 0.5::float8, 1.1::float8, 1.0::float8, 1.2::float8, null::float8, null::float8, 4::float8, 'random'::text),
             (3, 'evaluate', 'als', 4, 'als', true, 1, 0.9, 0.8, 1.0, 0.7, 0.3, 4, 'random')$$, 'the model by share');
select is((select count(*) from trivet.evaluation), 4::bigint, 'and the baselines beside it');
select results_eq('select "precision", recall, map, ndcg, ndcg_low, ndcg_high, hit_rate, mrr, coverage, popularity, overlap, jaccard from trivet.evaluation_at where is_model and train_fraction = 1 and k = 10',
    'values (0.1::float8, 0.2::float8, 0.15::float8, 0.4::float8, 0.35::float8, 0.45::float8, 0.6::float8, 0.5::float8, 0.25::float8, 50::float8, 2::float8, 0.1::float8)', 'all measures of a list');
select results_eq('select k, ndcg, ndcg_low from trivet.evaluation_at where is_model and train_fraction = 1 order by k', 'values (5, 0.3::float8, null::float8), (10, 0.4, 0.35)', 'an interval only where one was computed');
select results_eq('select run, algorithm, train_fraction, train_fractions, test_rows, rmse, rmse_low, rmse_high, ndcg, ndcg_low, ndcg_high, coverage, popularity from trivet.evaluations()',
    $$values (3::bigint, 'als'::text, 1::float8, 2::bigint, 200::bigint, 0.9::float8, 0.8::float8, 1::float8, 0.4::float8, 0.35::float8, 0.45::float8, 0.25::float8, 50::float8)$$, 'one line an evaluation, of the whole training part');
select results_eq('select method, train_fraction, rmse, ndcg from trivet.learning_curve(3)',
    $$values ('als'::text, 0.5::float8, 1.1::float8, 0.2::float8), ('als', 1, 0.9, 0.4), ('popular', 1, null, 0.21), ('random', 1, null, 0.01)$$, 'the learning curve, the model first');
select results_eq('select train_fraction, ndcg from trivet.learning_curve(3, 5) where is_model', $$values (0.5::float8, null::float8), (1, 0.3)$$, 'at another length of list');
select results_eq('select method, k, popularity, catalogue from trivet.popularity_curve(3)',
    $$values ('als'::text, 5, 60::float8, 8::float8), ('als', 10, 50, 8), ('popular', 10, 90, 8), ('random', 10, 9, 8), ('random', 100, 8, 8)$$, 'popularity, beside the catalogue''s mean of 800 ratings for 100 items');
select is_empty('select * from trivet.learning_curve(1) union all select * from trivet.learning_curve(null)', 'no curve of a run that judged nothing');
select is_empty('select * from trivet.popularity_curve(99)', 'nor of one that is not there');

-- A model that was guarded carries the evaluation that let it pass.
update trivet.run set metrics = (select metrics from trivet.run where id = 3) where id = 1;
select results_eq('select run, kind from trivet.evaluations()', $$values (3::bigint, 'evaluate'::text), (1, 'fit')$$, 'guarded models are among the evaluations');
select results_eq('select run from trivet.evaluations(1)', 'values (3::bigint)', 'only the newest');
select is_empty('select * from trivet.evaluations(0)', 'or none');

-- Searches: more is better for lists, less for errors.
insert into trivet.run (id, state, kind, algorithm, parameters, metrics, finished_at) overriding system value values
    (4, 'done', 'search', 'als', '{}', '{"metric": "ndcg@10", "trials": [
        {"settings": {"factors": 4, "lambda": 1}, "metric": {"value": 0.3, "low": 0.2, "high": 0.4}, "seconds": 1.5},
        {"settings": {"factors": 8, "lambda": 1}, "metric": {"value": 0.5, "low": 0.4, "high": 0.6}, "seconds": 2},
        {"settings": {"factors": 4, "lambda": 2}, "metric": {"value": 0.35, "low": 0.3, "high": 0.4}, "seconds": 1}],
        "best": {"settings": {"factors": 8, "lambda": 1}}}', now()),
    (5, 'done', 'search', 'als', '{"factors": 6}', '{"metric": "rmse", "trials": [
        {"settings": {"lambda": 1}, "metric": 0.9}, {"settings": {"lambda": 2}, "metric": 0.8}, {"settings": {"lambda": 3}, "metric": null}], "best": {"settings": {"lambda": 2}}}', null);
select results_eq('select run, place, factors, metric, value, low, high, seconds, best from trivet.search_trial order by run, place',
    $$values (4::bigint, 1, 4, 'ndcg@10'::text, 0.3::float8, 0.2::float8, 0.4::float8, 1.5::float8, false), (4, 2, 8, 'ndcg@10', 0.5, 0.4, 0.6, 2, true),
             (4, 3, 4, 'ndcg@10', 0.35, 0.3, 0.4, 1, false), (5, 1, 6, 'rmse', 0.9, null, null, null, false), (5, 2, 6, 'rmse', 0.8, null, null, null, true), (5, 3, 6, 'rmse', null, null, null, null, false)$$, 'one row a setting');
select results_eq('select factors, value, low, high, settings ->> ''lambda'', trials from trivet.factor_curve(4)', $$values (4, 0.35::float8, 0.3::float8, 0.4::float8, '2'::text, 2::bigint), (8, 0.5, 0.4, 0.6, '1', 1)$$, 'the best of each number of factors');
select results_eq('select factors, value, settings ->> ''lambda'' from trivet.factor_curve(5)', $$values (6, 0.8::float8, '2'::text)$$, 'the least error');
select results_eq('select run, metric, trials, settings, value, low from trivet.searches()', $$values (5::bigint, 'rmse'::text, 3::bigint, '{"lambda": 2}'::jsonb, 0.8::float8, null::float8), (4, 'ndcg@10', 3, '{"factors": 8, "lambda": 1}', 0.5, 0.4)$$, 'one line a search');
select is_empty('select * from trivet.factor_curve(3)', 'an evaluation is no search');

-- Those of one data set at a time.
insert into trivet.dataset (name) values ('other');
insert into trivet.run (id, state, kind, algorithm, dataset, data, metrics) overriding system value
    select id + 10, state, kind, algorithm, (select id from trivet.dataset where name = 'other'), '{"name": "a set"}', metrics from trivet.run where id in (3, 5);
insert into trivet.run (id, state, kind, algorithm, dataset, data, metrics) overriding system value
    select id + 20, state, kind, algorithm, 99, '{"name": "a set"}', metrics from trivet.run where id in (3, 5);
select results_eq('select run from trivet.evaluations()', 'values (3::bigint), (1)', 'evaluations of the data set that is loaded');
select results_eq('select run from trivet.searches()', 'values (5::bigint), (4)', 'and its searches');
select results_eq('select run, data from trivet.evaluations(dataset => (select id from trivet.dataset where name = ''other''))', $$values (13::bigint, 'other'::text)$$, 'of another one');
select results_eq('select run, data from trivet.searches(dataset => (select id from trivet.dataset where name = ''other''))', $$values (15::bigint, 'other'::text)$$, 'likewise');
select results_eq('select run, data from trivet.evaluations(dataset => null) order by run', $$values (1::bigint, 'a set'::text), (3, 'a set'), (13, 'other'), (23, 'a set (dropped)')$$, 'of all, each with its own; a name that is free again means another one');
select results_eq('select run from trivet.searches(dataset => null) order by run', 'values (4::bigint), (5), (15), (25)', 'and searches');
select results_eq('select run from trivet.evaluations(1, null) order by run', 'values (3::bigint), (13), (23)', 'the newest of each');
select results_eq('select run from trivet.searches(1, null) order by run', 'values (5::bigint), (15), (25)', 'and of searches');
select results_eq('select distinct run, data from trivet.search_trial where run in (15, 25) order by run', $$values (15::bigint, 'other'::text), (25, 'a set (dropped)')$$, 'a trial says whose it is');
select is_empty('select * from trivet.evaluations(dataset => 7777)', 'nothing of what is not there');
delete from trivet.run where id > 10;

-- A document of another shape breaks nothing.
update trivet.run set metrics = '{"methods": {"name": "x"}, "trials": 7}' where id in (3, 4);
select results_eq('select run from trivet.evaluations()', 'values (1::bigint)', 'what is no list of methods is no evaluation');
select results_eq('select run from trivet.searches()', 'values (5::bigint)', 'what is no list of trials is no search');
select * from finish();
rollback;
