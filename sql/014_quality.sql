-- 014_quality: what is odd in the data, before a filter is blamed for it: one row a finding, with a query that shows its
-- rows.

create or replace function trivet.duplicates()
returns table (finding text, pairs bigint, row_count bigint, surplus bigint, query text)
language sql stable parallel restricted
set work_mem = '64MB'
set jit = off as $$
    with repeated as materialized (
        select r.user_id, r.item_id, count(*) as n, min(r.value) < max(r.value) as differ
        from trivet.rating r where (select trivet.check_snapshot()) group by r.user_id, r.item_id having count(*) > 1
    )
    select f.finding, count(p.n), coalesce(sum(p.n), 0)::bigint, coalesce(sum(p.n - 1), 0)::bigint,
           format('select user_id, item_id, count(*) as row_count, array_agg(value order by rated_at) as "values" '
                  'from trivet.rating group by user_id, item_id having count(*) > 1 and min(value) %s max(value)', f.operator)
    from (values (1, 'pairs that stand more than once, always with the same value', '=', false),
                 (2, 'pairs that stand more than once, with different values', '<', true)) f (place, finding, operator, differ)
         left join repeated p on p.differ = f.differ
    group by f.place, f.finding, f.operator
    order by f.place
$$;
comment on function trivet.duplicates() is
'Pairs of user and item that stand more than once: pairs; row_count, the rating rows they have together; surplus, the rating
rows beyond one a pair. The filter counts rows and averages pairs. query shows the pairs.';
create or replace view trivet.duplicates as select * from trivet.duplicates();
comment on view trivet.duplicates is 'trivet.duplicates(), the report of pairs that stand more than once.';

create or replace function trivet.rating_scale()
returns table (low real, high real, row_count bigint, share float8, cumulative_share float8, query text)
language sql stable parallel safe as $$
    with value as (
        select r.value, count(*) as n from trivet.rating r where (select trivet.check_snapshot()) group by r.value
    ), placed as (
        -- Up to 20 values are shown one by one; more, as of plays, in 20 classes of about as many rows.
        select v.value, v.n, case when count(*) over () <= 20 then rank() over (order by v.value)
               else ceil(20 * sum(v.n) over (order by v.value) / sum(v.n) over ()) end as class
        from value v
    )
    select min(p.value), max(p.value), sum(p.n)::bigint, (sum(p.n) / sum(sum(p.n)) over ())::float8,
           (sum(sum(p.n)) over (order by p.class) / sum(sum(p.n)) over ())::float8,
           format('select * from trivet.rating where value between real %L and real %L', min(p.value), max(p.value))
    from placed p group by p.class order by p.class
$$;
comment on function trivet.rating_scale() is
'The values that ratings have: one row a value, or a class of values from low to high where there are more than 20; row_count,
its rating rows; share, their share of all; cumulative_share, the share of all rating rows up to high. query shows the rows.';
create or replace view trivet.rating_scale as select * from trivet.rating_scale();
comment on view trivet.rating_scale is 'trivet.rating_scale(), the values that ratings have.';

-- Each finding is its query; what is reported is how many rows that gives.
create or replace function trivet.quality()
returns table (finding text, row_count bigint, meaning text, query text)
language plpgsql stable
set work_mem = '64MB'
set jit = off as $$
begin
    for finding, meaning, query in values
        ('rated items without a description', 'their titles are unknown, and genres never choose them',
         'select r.item_id, count(*) as rating_rows from trivet.rating r '
         'where not exists (select from trivet.item i where i.item_id = r.item_id) group by r.item_id'),
        ('described items without a rating', 'no model can recommend them',
         'select i.* from trivet.item i where not exists (select from trivet.rating r where r.item_id = i.item_id)'),
        ('described items without a title', 'pages show their number',
         'select i.* from trivet.item i where i.title is null or btrim(i.title) = '''''),
        ('described items without genres', 'genres never choose them',
         'select i.* from trivet.item i where coalesce(cardinality(i.genres), 0) = 0'),
        ('titles that several items have', 'perhaps one item twice, with its ratings divided',
         'select i.title, array_agg(i.item_id order by i.item_id) as item_ids from trivet.item i '
         'where btrim(i.title) <> '''' group by i.title having count(*) > 1'),
        ('IMDb numbers that several items have', 'perhaps one item twice, with its ratings divided',
         'select i.imdb_id, array_agg(i.item_id order by i.item_id) as item_ids from trivet.item i '
         'where i.imdb_id is not null group by i.imdb_id having count(*) > 1'),
        ('TMDB numbers that several items have', 'perhaps one item twice, with its ratings divided',
         'select i.tmdb_id, array_agg(i.item_id order by i.item_id) as item_ids from trivet.item i '
         'where i.tmdb_id is not null group by i.tmdb_id having count(*) > 1'),
        ('users with one constant rating', 'at least 5 rating rows, all of the same value: they tell nothing of taste',
         'select r.user_id, min(r.value) as value, count(*) as rating_rows from trivet.rating r '
         'group by r.user_id having count(*) >= 5 and min(r.value) = max(r.value)'),
        ('pairs that stand more than once', 'averaged by the filter; see trivet.duplicates',
         'select r.user_id, r.item_id, count(*) as rating_rows from trivet.rating r '
         'group by r.user_id, r.item_id having count(*) > 1'),
        ('rating rows dated in the future', 'a clock or a unit is wrong',
         'select r.* from trivet.rating r where r.rated_at > now()'),
        ('rating rows without a date',
         (select string_agg(t.name, ' and ' order by t.nr) from trivet.filter_table() t where t.type = 'timestamptz') || ' leave them out',
         'select r.* from trivet.rating r where r.rated_at is null'),
        ('rating rows with a value that is no number', 'NaN or infinite: no model can learn from them',
         'select r.* from trivet.rating r where r.value in (''NaN'', ''Infinity'', ''-Infinity'')')
    loop
        execute format('select count(*) from (%s) q where (select trivet.check_snapshot())', query) into row_count;
        return next;
    end loop;
end
$$;
comment on function trivet.quality() is
'What is odd in the data: one row a finding, also those with nothing found; row_count, how many rows its query gives; meaning,
what follows from it; query, the SQL that shows them.
    select finding, row_count, query from trivet.quality where row_count > 0;';
create or replace view trivet.quality as select * from trivet.quality();
comment on view trivet.quality is 'trivet.quality(), what is odd in the data.';
