-- 012_sweep: the size of the filter's result over a grid of values, without running the filter for every cell.
--
-- The three count thresholds only ask how many rating rows an item or a user has. So trivet.sweep_counts looks at the
-- ratings once and answers any number of thresholds from small histograms:
--
--   Item counts fall between two neighbours of the thresholds asked for: the item's level, 0 for those that no
--   threshold keeps. User counts likewise; a window [minimum, maximum] is then a run of neighbouring user levels.
--   pairs  (item level, user level) -> how many pairs; a cell adds those it keeps.
--   users  a user is in a cell if any of their items is: (highest level of their items, their own level) -> how many.
--   items  an item is in a cell if any of its users' levels lies in the window. Each item says, for each level v that
--          its users have, the one before it, p: then v is the lowest of its levels that a window can begin below
--          exactly for windows that begin after p. (item level, p, v) -> how many; a cell adds those with p < first
--          level <= v <= last level, and counts every item once.
--
-- Where the row limit cuts a cell, users are taken in the order of their ids until the limit is reached: a running sum
-- over the users, and for each item the first user who brings it.
--
-- Every other parameter changes the rows that are counted. trivet.sweep runs the above once for each of its values.

create or replace function trivet.sweep_counts_of(
    min_users_for_item int[], min_items_for_user int[], max_items_for_user int[], given trivet.filter_values
) returns table (min_users int, min_items int, max_items int, row_count bigint, users bigint, items bigint,
                 limit_cut boolean)
language plpgsql stable parallel restricted
set work_mem = '64MB'
set jit = off
set plan_cache_mode = force_custom_plan
set enable_nestloop = off as $$
#variable_conflict use_column
declare
    -- width_bucket gives the number of bounds that are at most the count: the level.
    item_bounds constant bigint[] := array(
        select distinct t::bigint + 1 from unnest(sweep_counts_of.min_users_for_item) t order by 1);
    user_bounds constant bigint[] := array(
        select t::bigint from unnest(sweep_counts_of.min_items_for_user) t
        union select t::bigint + 1 from unnest(sweep_counts_of.max_items_for_user) t order by 1);
begin
    return query
    with item_level as materialized (
        select c.item_id, width_bucket(count(*), item_bounds) as level
        from trivet.chosen_rows_of(given) c
        group by c.item_id
    ), user_level as materialized (
        select c.user_id, width_bucket(count(*), user_bounds) as level
        from trivet.chosen_rows_of(given) c
        where given.sample_users >= 1
           or (hashint8extended(c.user_id, 0) & 2147483647) < given.sample_users::float8 * 2147483648
        group by c.user_id
    ), grouped as materialized (
        -- One pass over the pairs for both. DISTINCT ON takes them in the order of the index.
        select p.user_id, p.item_id, u.level as user_level, i.level as item_level, count(*)::int as pairs,
               min(p.user_id) as first_user
        from (select distinct on (c.user_id, c.item_id) c.user_id, c.item_id
              from trivet.chosen_rows_of(given) c
              order by c.user_id, c.item_id) p
             join item_level i on i.item_id = p.item_id join user_level u on u.user_id = p.user_id
        where i.level > 0
        group by grouping sets ((p.user_id, u.level, i.level), (p.item_id, i.level, u.level))
    ), of_user as (
        select g.user_id, g.user_level, g.item_level, g.pairs from grouped g where g.user_id is not null
    ), of_item as (
        select g.item_id, g.item_level, g.user_level, g.first_user from grouped g where g.item_id is not null

    -- The three histograms.
    ), pairs as materialized (
        select o.item_level, o.user_level, sum(o.pairs) as n from of_user o group by o.item_level, o.user_level
    ), users as materialized (
        select h.item_level, h.user_level, count(*) as n
        from (select o.user_id, o.user_level, max(o.item_level) as item_level from of_user o
              group by o.user_id, o.user_level) h
        group by h.item_level, h.user_level
    ), items as materialized (
        select h.item_level, h.before, h.user_level, count(*) as n
        from (select o.item_level, o.user_level, coalesce(lag(o.user_level) over (partition by o.item_id
                     order by o.user_level), -1) as before from of_item o) h
        group by h.item_level, h.before, h.user_level

    ), cell as materialized (
        select row_number() over () as nr, t.t as min_users, a.t as min_items, b.t as max_items,
               width_bucket(t.t::bigint + 1, item_bounds) as item_level,
               width_bucket(a.t::bigint, user_bounds) as first_level, width_bucket(b.t::bigint, user_bounds) as last_level
        from (select distinct unnest(sweep_counts_of.min_users_for_item)) t (t)
        cross join (select distinct unnest(sweep_counts_of.min_items_for_user)) a (t)
        cross join (select distinct unnest(sweep_counts_of.max_items_for_user)) b (t)
        where a.t <= b.t
    ), whole as materialized (
        select c.*,
               coalesce((select sum(p.n) from pairs p where p.item_level >= c.item_level
                         and p.user_level between c.first_level and c.last_level), 0)::bigint as n,
               coalesce((select sum(u.n) from users u where u.item_level >= c.item_level
                         and u.user_level between c.first_level and c.last_level), 0)::bigint as users,
               coalesce((select sum(i.n) from items i where i.item_level >= c.item_level and i.before < c.first_level
                         and i.user_level between c.first_level and c.last_level), 0)::bigint as items
        from cell c

    -- The cells that the row limit cuts: the user it cuts within, and the item after which it does.
    ), cut as materialized (
        select * from whole w where w.n > given.max_row_number
    ), of_user_above as (
        select l.item_level, o.user_id, o.user_level, sum(o.pairs)::int as pairs
        from (select distinct c.item_level from cut c) l join of_user o on o.item_level >= l.item_level
        group by l.item_level, o.user_id, o.user_level
    ), running as (
        select c.nr, c.item_level, o.user_id, o.pairs, sum(o.pairs) over (partition by c.nr order by o.user_id) as up_to
        from cut c join of_user_above o
          on o.item_level = c.item_level and o.user_level between c.first_level and c.last_level
    ), kept_users as materialized (
        select r.nr, r.item_level, count(*) as n, max(r.user_id) as last_user, max(r.up_to - r.pairs) as before
        from running r where r.up_to - r.pairs < given.max_row_number
        group by r.nr, r.item_level
    ), pair_of_last_user as (
        select distinct c.user_id, c.item_id, i.level
        from trivet.chosen_rows_of(given) c
        join item_level i using (item_id)
        where (c.user_id in (select k.last_user from kept_users k)) is true
    ), last_item as materialized (
        select l.nr, l.item_id
        from (select k.nr, k.before, p.item_id, row_number() over (partition by k.nr order by p.item_id) as place
              from kept_users k join pair_of_last_user p on p.user_id = k.last_user and p.level >= k.item_level) l
        where l.place = given.max_row_number - l.before
    ), first_of_item as materialized (
        select w.first_level, w.last_level, o.item_id, o.item_level, min(o.first_user) as first_user
        from (select c.first_level, c.last_level, min(c.item_level) as item_level, max(k.last_user) as last_user
              from cut c join kept_users k using (nr) group by c.first_level, c.last_level) w
        join of_item o on o.user_level between w.first_level and w.last_level
                      and o.first_user <= w.last_user and o.item_level >= w.item_level
        group by w.first_level, w.last_level, o.item_id, o.item_level
    ), kept_items as materialized (
        select c.nr, count(*) as n
        from cut c join kept_users k using (nr) join last_item l using (nr)
             join first_of_item f on f.first_level = c.first_level and f.last_level = c.last_level
        where f.item_level >= c.item_level and (f.first_user, f.item_id) <= (k.last_user, l.item_id)
        group by c.nr
    )
    select w.min_users, w.min_items, w.max_items, least(w.n, given.max_row_number), coalesce(k.n, w.users),
           coalesce(i.n, w.items), w.n > given.max_row_number
    from whole w left join kept_users k using (nr) left join kept_items i using (nr)
    order by w.min_users, w.min_items, w.max_items;
end
$$;
comment on function trivet.sweep_counts_of(int[], int[], int[], trivet.filter_values) is
'The size of trivet.user_item for every combination of the three count thresholds (where max_items_for_user is at least
min_items_for_user), in a few passes over the ratings for all of them together. trivet.sweep calls it.';

create or replace function trivet.sweep_of(x text, x_values text[], y text, y_values text[], given trivet.filter_values)
returns table (x_place int, y_place int, x_value text, y_value text, row_count bigint, users bigint, items bigint,
                 density float8, share_of_rows float8, share_of_users float8, limit_cut boolean, parameters jsonb)
language plpgsql stable parallel unsafe
set jit = off
set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
    thresholds constant text[] := array['min_users_for_item', 'min_items_for_user', 'max_items_for_user'];
    x_counts constant boolean := sweep_of.x = any (thresholds);
    y_counts constant boolean := sweep_of.y is null or sweep_of.y = any (thresholds);
    base constant jsonb := to_jsonb(given);
    harmless constant jsonb := to_jsonb(trivet.filter_defaults())
        || '{"min_users_for_item": 0, "min_items_for_user": 0, "max_items_for_user": 2147483647}';
    x_json jsonb[];
    y_json jsonb[] := array['{}'::jsonb];
    all_rows bigint;
    all_users bigint;
    runs int;
    run int := 0;
    p trivet.filter_values;
begin
    if sweep_of.x is null then
        raise exception 'x is null, but must be the name of a filter parameter' using errcode = 'TV001';
    elsif sweep_of.x = sweep_of.y then
        raise exception 'x and y are both "%", but must be two parameters', sweep_of.x using errcode = 'TV001';
    elsif coalesce(cardinality(x_values), 0) = 0 then
        raise exception 'x_values is null or empty, but must hold values of %', sweep_of.x using errcode = 'TV001';
    elsif sweep_of.y is not null and coalesce(cardinality(y_values), 0) = 0 then
        raise exception 'y_values is null or empty, but must hold values of %', sweep_of.y using errcode = 'TV001';
    elsif sweep_of.y is null and y_values is not null then
        raise exception 'y_values is given, but y is null: name the parameter' using errcode = 'TV001';
    end if;
    -- The values of x and y stand in for what is given.
    perform trivet.check_filter_of(jsonb_populate_record(given, (
        select coalesce(jsonb_object_agg(h.key, h.value), '{}') from jsonb_each(harmless) h where h.key in (x, y))));
    x_json := array(select jsonb_build_object(sweep_of.x, trivet.filter_value(sweep_of.x, t.v))
                    from unnest(x_values) with ordinality t (v, nr) order by t.nr);
    if sweep_of.y is not null then
        y_json := array(select jsonb_build_object(sweep_of.y, trivet.filter_value(sweep_of.y, t.v))
                        from unnest(y_values) with ordinality t (v, nr) order by t.nr);
    end if;
    select coalesce(sum(t.n), 0), count(*) into all_rows, all_users
    from (select count(*) as n from trivet.rating r where (select trivet.check_snapshot()) group by r.user_id) t;

    runs := case when x_counts then 1 else cardinality(x_json) end
          * case when y_counts then 1 else cardinality(y_json) end;
    for a in 1 .. case when x_counts then 1 else cardinality(x_json) end loop
        for b in 1 .. case when y_counts then 1 else cardinality(y_json) end loop
            p := trivet.filter_parameters(base || x_json[a] || y_json[b]);
            return query
            with cell as (
                select i.nr as x_nr, j.nr as y_nr, base || i.v || j.v as v
                from unnest(x_json) with ordinality i (v, nr) cross join unnest(y_json) with ordinality j (v, nr)
                where (x_counts or i.nr = a) and (y_counts or j.nr = b)
            )
            select c.x_nr::int, case when sweep_of.y is not null then c.y_nr::int end, x_values[c.x_nr], y_values[c.y_nr],
                   s.row_count, s.users, s.items, s.row_count / nullif(s.users * s.items, 0)::float8,
                   s.row_count / nullif(all_rows, 0)::float8, s.users / nullif(all_users, 0)::float8, s.limit_cut, c.v
            from cell c left join trivet.sweep_counts_of(
                     array(select (d.v ->> 'min_users_for_item')::int from cell d),
                     array(select (d.v ->> 'min_items_for_user')::int from cell d),
                     array(select (d.v ->> 'max_items_for_user')::int from cell d),
                     p) s
                 on s.min_users = (c.v ->> 'min_users_for_item')::int
                and s.min_items = (c.v ->> 'min_items_for_user')::int
                and s.max_items = (c.v ->> 'max_items_for_user')::int
            order by 1, 2;
            run := run + 1;
            if runs > 1 then
                raise notice 'sweep: % of %', run, runs;
            end if;
        end loop;
    end loop;
end
$$;
comment on function trivet.sweep_of(text, text[], text, text[], trivet.filter_values) is
'The size of trivet.user_item''s result for every combination of values of one or two of its parameters; the others as
there. x and y are names of parameters, x_values and y_values their values as text; x_place and y_place number them.
    select * from trivet.sweep(''min_users_for_item'', ''{0,5,10,20}'', ''max_items_for_user'', ''{50,100,200}'',
                               max_row_number => 10000000);
row_count, users and items are those of trivet.user_item with these values; density is row_count by users x items;
share_of_rows and share_of_users compare with all rating rows and all users of trivet.rating; limit_cut says whether
max_row_number cut; parameters holds all values of the cell. Where max_items_for_user is below min_items_for_user there is
no such filter: the counts are null.
Any number of count thresholds cost one run over the rating rows; any other parameter costs a run for each of its values, and
each is told by a NOTICE. Genres are written as array[''{Drama}'', ''{Comedy,Drama}''].';
