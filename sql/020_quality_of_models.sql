-- 020_quality_of_models: what the journal knows of how good models are, as rows that a query or a chart can use.
--
-- trivet.run.metrics holds what trivet-train evaluate, search and fit --guard measured, one JSON document a run. The
-- views take it apart; docs/metrics.md says what each number means. The page /models asks the functions.

-- A measure stands as a number, or as {"value": 0.42, "low": 0.41, "high": 0.43} with its 95 % interval.
create or replace function trivet.measured(measure jsonb) returns float8
language sql immutable parallel safe as $$
    select case jsonb_typeof(measure) when 'number' then measure::float8 when 'object' then (measure ->> 'value')::float8 end
$$;
comment on function trivet.measured(jsonb) is 'The value of a measure out of trivet.run.metrics, with or without an interval; null without one.';

create or replace function trivet.json_rows(list jsonb) returns setof jsonb
language sql immutable parallel safe as $$
    select jsonb_array_elements(case jsonb_typeof(list) when 'array' then list else '[]' end)
$$;
comment on function trivet.json_rows(jsonb) is 'The elements of a JSON array in their order; none for anything else.';

create or replace function trivet.data_name(run_id bigint) returns text
language sql stable parallel safe as $$
    select case when d.id is null and r.dataset is not null then coalesce(r.data ->> 'dataset', r.data ->> 'name', 'number ' || r.dataset) || ' (dropped)'
                else coalesce(d.name, r.data ->> 'name') end
    from trivet.run r left join trivet.dataset d on d.id = r.dataset where r.id = data_name.run_id
$$;
comment on function trivet.data_name(bigint) is 'The name of the data set that a run read. One that was dropped is told from another that has its name now.';

-- --- models ------------------------------------------------------------------------------------------------

create or replace view trivet.model as
    select r.id as model, kind, state, started_at as started, finished_at as finished, live_at,
           extract(epoch from now() - finished_at)::bigint as age_seconds,
           algorithm, coalesce((counts ->> 'factors')::int, (parameters ->> 'factors')::int) as factors, parameters, filter, source,
           (counts ->> 'rows')::bigint as ratings, (counts ->> 'users')::bigint as users,
           (counts ->> 'items')::bigint as items, (counts ->> 'users_served')::bigint as users_served,
           trivet.data_name(r.id) as data, coalesce(message, '') as message,
           (select m.state from trivet.model_data(r.id) m) as data_state
    from trivet.run r where kind in ('fit', 'import') order by r.id desc;
comment on view trivet.model is 'One row a model that was ever made or tried to be, the newest first.';
comment on column trivet.model.model is 'Its number.';
comment on column trivet.model.kind is 'fit or import.';
comment on column trivet.model.state is 'State, as in trivet.run: live, kept, pruned, failed, ...';
comment on column trivet.model.started is 'When the training began.';
comment on column trivet.model.finished is 'When the model was complete, or failed.';
comment on column trivet.model.live_at is 'When it was last switched to; null: never.';
comment on column trivet.model.age_seconds is 'How long ago it was complete.';
comment on column trivet.model.algorithm is 'svd, als or als-implicit.';
comment on column trivet.model.factors is 'Numbers a user and an item: those that it has, or, where the journal does not know them, those asked for.';
comment on column trivet.model.parameters is 'All values of the algorithm.';
comment on column trivet.model.filter is 'The filter it was learned with.';
comment on column trivet.model.source is 'The FROM of the training rows.';
comment on column trivet.model.ratings is 'Ratings learned from.';
comment on column trivet.model.users is 'Users learned from.';
comment on column trivet.model.items is 'Items it knows.';
comment on column trivet.model.users_served is 'Users with factors, learned from or folded in.';
comment on column trivet.model.data is 'The data set that it was learned from: models of two are not to be compared.';
comment on column trivet.model.message is 'Why it failed.';
comment on column trivet.model.data_state is 'What has become of its data set since, as trivet.model_data says it: current, older, away, gone or unknown.';

-- --- evaluations -------------------------------------------------------------------------------------------

create or replace view trivet.evaluation as
    select r.id as run, r.kind, r.finished_at as finished, r.algorithm,
           coalesce((m ->> 'factors')::int, (r.counts ->> 'factors')::int, (r.parameters ->> 'factors')::int) as factors,
           r.parameters, r.filter, r.source, trivet.data_name(r.id) as data,
           r.metrics -> 'split' as split, r.metrics -> 'holdout' as holdout, trivet.measured(r.metrics -> 'relevant') as relevant,
           m ->> 'name' as method, (m ->> 'model')::boolean as is_model, coalesce((m ->> 'train_fraction')::float8, 1) as train_fraction,
           trivet.measured(m -> 'rmse') as rmse, (m #>> '{rmse,low}')::float8 as rmse_low, (m #>> '{rmse,high}')::float8 as rmse_high,
           trivet.measured(m -> 'mae') as mae, trivet.measured(m -> 'r2') as r2, m -> 'at' as at
    from trivet.run r cross join trivet.json_rows(r.metrics -> 'methods') m;
comment on view trivet.evaluation is 'One row a method that an evaluation judged: the model, and the baselines beside it; one for each share of the training data.';
comment on column trivet.evaluation.run is 'The run that judged.';
comment on column trivet.evaluation.kind is 'evaluate; search: the best setting it found; fit: a training with --guard.';
comment on column trivet.evaluation.finished is 'When.';
comment on column trivet.evaluation.algorithm is 'The algorithm of the model.';
comment on column trivet.evaluation.factors is 'Its number of factors: those that the judged model has; beside a baseline, those of the run''s model.';
comment on column trivet.evaluation.parameters is 'All values of the algorithm.';
comment on column trivet.evaluation.filter is 'The filter, fitted on the training part alone.';
comment on column trivet.evaluation.source is 'The FROM of the rows that were divided.';
comment on column trivet.evaluation.data is 'The data set of the ratings: numbers of two are not to be compared.';
comment on column trivet.evaluation.split is 'How training and test were divided.';
comment on column trivet.evaluation.holdout is 'What was kept apart: rows, users, cold users and items.';
comment on column trivet.evaluation.relevant is 'The rating from which on a test item counts as a hit; null: every one does.';
comment on column trivet.evaluation.method is 'The algorithm or the baseline this row is about.';
comment on column trivet.evaluation.is_model is 'True for the model, false for a baseline.';
comment on column trivet.evaluation.train_fraction is 'The share of the training data that it learned from.';
comment on column trivet.evaluation.rmse is 'Root mean squared error of predicted ratings; null for a method that predicts none.';
comment on column trivet.evaluation.rmse_low is 'Lower end of its 95 % interval.';
comment on column trivet.evaluation.rmse_high is 'Upper end of its 95 % interval.';
comment on column trivet.evaluation.mae is 'Mean absolute error of predicted ratings.';
comment on column trivet.evaluation.r2 is 'Share of the variance of ratings that the predictions explain.';
comment on column trivet.evaluation.at is 'Measures of lists by their length; trivet.evaluation_at has them as rows.';

create or replace view trivet.evaluation_at as
    select e.run, e.method, e.is_model, e.train_fraction, a.key::int as k,
           trivet.measured(a.value -> 'precision') as "precision", trivet.measured(a.value -> 'recall') as recall,
           trivet.measured(a.value -> 'map') as map, trivet.measured(a.value -> 'ndcg') as ndcg,
           (a.value #>> '{ndcg,low}')::float8 as ndcg_low, (a.value #>> '{ndcg,high}')::float8 as ndcg_high,
           trivet.measured(a.value -> 'hit_rate') as hit_rate, trivet.measured(a.value -> 'mrr') as mrr,
           trivet.measured(a.value -> 'coverage') as coverage, trivet.measured(a.value -> 'popularity') as popularity,
           trivet.measured(a.value -> 'overlap') as overlap, trivet.measured(a.value -> 'jaccard') as jaccard
    from trivet.evaluation e cross join jsonb_each(case jsonb_typeof(e.at) when 'object' then e.at else '{}' end) a;
comment on view trivet.evaluation_at is 'One row a method and length of list that an evaluation judged: how good the first k places are.';
comment on column trivet.evaluation_at.run is 'The run that judged.';
comment on column trivet.evaluation_at.method is 'The algorithm or the baseline.';
comment on column trivet.evaluation_at.is_model is 'True for the model, false for a baseline.';
comment on column trivet.evaluation_at.train_fraction is 'The share of the training data that it learned from.';
comment on column trivet.evaluation_at.k is 'The first so many places of each list.';
comment on column trivet.evaluation_at."precision" is 'Share of the places that hold a hit.';
comment on column trivet.evaluation_at.recall is 'Share of a user''s relevant items among the places.';
comment on column trivet.evaluation_at.map is 'Mean average precision.';
comment on column trivet.evaluation_at.ndcg is 'Normalised discounted cumulative gain.';
comment on column trivet.evaluation_at.ndcg_low is 'Lower end of its 95 % interval; null where none was computed.';
comment on column trivet.evaluation_at.ndcg_high is 'Upper end of its 95 % interval.';
comment on column trivet.evaluation_at.hit_rate is 'Share of users with a hit.';
comment on column trivet.evaluation_at.mrr is 'Mean of 1 / the place of the first hit.';
comment on column trivet.evaluation_at.coverage is 'Share of the catalogue in somebody''s list.';
comment on column trivet.evaluation_at.popularity is 'Mean number of training ratings of what is recommended.';
comment on column trivet.evaluation_at.overlap is 'Mean number of items two users'' lists have in common.';
comment on column trivet.evaluation_at.jaccard is 'Mean of the common items divided by those in either list.';

-- A run's methods by the numbers of the whole training part: what a table shows first.
drop function if exists trivet.evaluations(int); -- of older schemas: of all data sets, as searches below
create or replace function trivet.evaluations(newest int = 100, dataset bigint = trivet.current_dataset())
returns table (run bigint, kind text, finished timestamptz, algorithm text, factors int, parameters jsonb, filter jsonb,
               data text, split jsonb, test_rows bigint, train_fraction float8, train_fractions bigint, rmse float8, rmse_low float8,
               rmse_high float8, ndcg float8, ndcg_low float8, ndcg_high float8, coverage float8, popularity float8)
language sql stable parallel safe as $$
    select e.run, e.kind, e.finished, e.algorithm, e.factors, e.parameters, e.filter, e.data, e.split,
           (e.holdout ->> 'rows')::bigint, e.train_fraction, e.fractions, e.rmse, e.rmse_low, e.rmse_high,
           a.ndcg, a.ndcg_low, a.ndcg_high, a.coverage, a.popularity
    from (select r.id, row_number() over (partition by r.dataset order by r.id desc) as place from trivet.run r
          where jsonb_typeof(r.metrics -> 'methods') = 'array'
            and (evaluations.dataset is null or r.dataset = evaluations.dataset)) n
    cross join lateral (select v.*, count(*) over () as fractions from trivet.evaluation v
                        where v.run = n.id and v.is_model order by v.train_fraction desc limit 1) e
    left join lateral (select * from trivet.evaluation_at w where w.run = e.run and w.method = e.method and w.is_model
                       and w.train_fraction = e.train_fraction and w.k = 10) a on true
    where n.place <= evaluations.newest
    order by e.run desc
$$;
comment on function trivet.evaluations(int, bigint) is
'One row an evaluation, the newest first: its model''s RMSE, NDCG@10, coverage and popularity at 10, from the whole training part. Those of
the data set that is loaded, or of the one given; null: of each, and so many of each, to be compared within one alone (data).
    select * from trivet.evaluations(dataset => (select id from trivet.dataset where name = ''films''));';

-- --- curves ------------------------------------------------------------------------------------------------

create or replace function trivet.learning_curve(run_id bigint, k int = 10)
returns table (method text, is_model boolean, train_fraction float8, rmse float8, rmse_low float8, rmse_high float8,
               ndcg float8, ndcg_low float8, ndcg_high float8)
language sql stable parallel safe as $$
    select e.method, e.is_model, e.train_fraction, e.rmse, e.rmse_low, e.rmse_high, a.ndcg, a.ndcg_low, a.ndcg_high
    from trivet.evaluation e
    left join trivet.evaluation_at a on a.run = e.run and a.method = e.method and a.is_model = e.is_model
                                    and a.train_fraction = e.train_fraction and a.k = learning_curve.k
    where e.run = learning_curve.run_id order by e.is_model desc, e.method, e.train_fraction
$$;
comment on function trivet.learning_curve(bigint, int) is 'Quality against the share of the training data, of an evaluation with --train-fraction: one row a method and share.';

-- Popularity counts training ratings, so the catalogue's mean is their number divided by that of its items.
create or replace function trivet.popularity_curve(run_id bigint)
returns table (method text, is_model boolean, k int, popularity float8, catalogue float8)
language sql stable parallel safe as $$
    with whole as (
        select a.* from trivet.evaluation_at a
        where a.run = popularity_curve.run_id and a.popularity is not null
          and a.train_fraction = (select max(e.train_fraction) from trivet.evaluation e where e.run = popularity_curve.run_id)
    )
    select w.method, w.is_model, w.k, w.popularity,
           (select (r.metrics #>> '{training,rows}')::float8 / nullif((r.metrics #>> '{training,items}')::float8, 0)
            from trivet.run r where r.id = popularity_curve.run_id)
    from whole w order by w.is_model desc, w.method, w.k
$$;
comment on function trivet.popularity_curve(bigint) is 'How popular the first k places are: mean number of training ratings of what a method recommends, beside the catalogue''s mean.';

create or replace view trivet.search_trial as
    select r.id as run, r.finished_at as finished, r.state, r.algorithm, coalesce((t.value ->> 'trial')::int, t.place::int) as place, t.value -> 'settings' as settings,
           coalesce((t.value #>> '{settings,factors}')::int, (r.parameters ->> 'factors')::int) as factors,
           coalesce(r.metrics ->> 'metric', r.parameters ->> 'metric') as metric,
           trivet.measured(t.value -> 'metric') as value, (t.value #>> '{metric,low}')::float8 as low,
           (t.value #>> '{metric,high}')::float8 as high, (t.value ->> 'seconds')::float8 as seconds,
           t.value -> 'settings' = r.metrics #> '{best,settings}' as best, trivet.data_name(r.id) as data
    from trivet.run r cross join trivet.json_rows(r.metrics -> 'trials') with ordinality t (value, place)
    where r.kind = 'search';
comment on view trivet.search_trial is 'One row a setting that trivet-train search tried.';
comment on column trivet.search_trial.run is 'The search.';
comment on column trivet.search_trial.finished is 'When it ended; null: not yet.';
comment on column trivet.search_trial.state is 'State of the search, as in trivet.run.';
comment on column trivet.search_trial.algorithm is 'What was searched for.';
comment on column trivet.search_trial.place is 'Place in the order of trials, from 1.';
comment on column trivet.search_trial.settings is 'What was set.';
comment on column trivet.search_trial.factors is 'Number of factors of this trial.';
comment on column trivet.search_trial.metric is 'What was measured: rmse, ndcg@10, ...';
comment on column trivet.search_trial.value is 'The measure.';
comment on column trivet.search_trial.low is 'Lower end of its 95 % interval.';
comment on column trivet.search_trial.high is 'Upper end of its 95 % interval.';
comment on column trivet.search_trial.seconds is 'How long the trial took.';
comment on column trivet.search_trial.best is 'True for the setting that was found best.';
comment on column trivet.search_trial.data is 'The data set of the ratings: numbers of two are not to be compared.';

-- Less is better for errors, more for everything else.
create or replace function trivet.factor_curve(run_id bigint)
returns table (factors int, metric text, value float8, low float8, high float8, settings jsonb, trials bigint)
language sql stable parallel safe as $$
    select t.factors, t.metric, t.value, t.low, t.high, t.settings, t.trials
    from (select s.*, count(*) over (partition by s.factors) as trials,
                 row_number() over (partition by s.factors
                                    order by s.value * case when s.metric in ('rmse', 'mae') then 1 else -1 end, s.place) as rank
          from trivet.search_trial s where s.run = factor_curve.run_id and s.value is not null) t
    where t.rank = 1 order by t.factors
$$;
comment on function trivet.factor_curve(bigint) is 'Quality against the number of factors, of a search: for each number the best of its trials.';

drop function if exists trivet.searches(int);
create or replace function trivet.searches(newest int = 100, dataset bigint = trivet.current_dataset())
returns table (run bigint, finished timestamptz, state text, algorithm text, metric text, trials bigint,
               settings jsonb, value float8, low float8, high float8, data text)
language sql stable parallel safe as $$
    with chosen as (
        select r.id, row_number() over (partition by r.dataset order by r.id desc) as place from trivet.run r
        where r.kind = 'search' and r.metrics -> 'trials' @? 'strict $[*]'
          and (searches.dataset is null or r.dataset = searches.dataset)
    )
    select s.run, max(s.finished), max(s.state), max(s.algorithm), max(s.metric), count(*),
           (array_agg(s.settings order by s.place) filter (where s.best))[1],
           (array_agg(s.value order by s.place) filter (where s.best))[1],
           (array_agg(s.low order by s.place) filter (where s.best))[1],
           (array_agg(s.high order by s.place) filter (where s.best))[1], max(s.data)
    from trivet.search_trial s join chosen c on c.id = s.run and c.place <= searches.newest group by s.run order by s.run desc
$$;
comment on function trivet.searches(int, bigint) is
'One row a search, the newest first: how many settings it tried, and the best with its interval. Of which data set, as in
trivet.evaluations.';
