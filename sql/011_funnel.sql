-- 011_funnel: what each step of the filter removes, before anything is trained.
--
-- trivet.funnel counts in four passes over the ratings (two more for each condition on rows that is set, one for
-- rated_until), per user or per item: all its numbers are sums over these. Pairs are counted user by user,
-- COUNT(DISTINCT item_id), which sorts the few items of one user; a GROUP BY user and item would hash them all, in four
-- times the time. The users folded in cost no pass: their rows are those of all users less those of users learned from.

-- The notes of funnel tell these five parameters in words of their own.
create or replace function trivet.set_beside(step int, given trivet.filter_values) returns text
language sql stable parallel safe as $$
    select string_agg(t.name || ' ' || v.text[t.nr], ', ' order by t.nr)
    from trivet.filter_table() t
         cross join (select trivet.filter_texts(given) as text, trivet.filter_texts(trivet.filter_defaults()) as standard) v
    where t.step = set_beside.step and v.text[t.nr] is distinct from v.standard[t.nr]
      and t.name not in ('rated_since', 'rated_until', 'min_rating', 'genres', 'sample_users')
$$;
comment on function trivet.set_beside(int, trivet.filter_values) is
'What acts in a step of trivet.funnel and is not at its default, beside the parameters that the step is named after; null for nothing.';

create or replace function trivet.funnel_of(given trivet.filter_values)
returns table (step int, name text, row_count bigint, users bigint, items bigint, density float8,
                 removed_rows bigint, removed_users bigint, removed_items bigint,
                 users_below_minimum bigint, limit_cut boolean, note text, parameters jsonb)
language plpgsql stable parallel restricted
set work_mem = '64MB'
set jit = off
set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
    timed constant trivet.filter_values := trivet.filter_up_to(2, given);
    liked constant trivet.filter_values := trivet.filter_up_to(3, given);
    chosen constant trivet.filter_values := trivet.filter_up_to(4, given);
    served constant trivet.filter_values := trivet.filter_evidence(given);
    -- Each condition is a step. One that is not set costs no pass: its step repeats the numbers before it.
    by_time constant boolean := timed is distinct from trivet.filter_defaults();
    by_rating constant boolean := liked is distinct from timed;
    by_genre constant boolean := chosen is distinct from liked;
    only_learning constant boolean := served is distinct from chosen;
begin
    perform trivet.check_filter_of(given);
    return query
    with all_users as materialized (
        select r.user_id, count(*) as n from trivet.rating r where (select trivet.check_snapshot()) group by r.user_id
    ), all_items as materialized (
        select r.item_id, count(*) as n from trivet.rating r where (select trivet.check_snapshot()) group by r.item_id
    ), timed_users as materialized (
        select c.user_id, count(*) as n from trivet.chosen_rows_of(timed) c
        where by_time group by c.user_id
        union all select a.user_id, a.n from all_users a where not by_time
    ), timed_items as materialized (
        select c.item_id, count(*) as n from trivet.chosen_rows_of(timed) c
        where by_time group by c.item_id
        union all select a.item_id, a.n from all_items a where not by_time
    ), liked_users as materialized (
        select c.user_id, count(*) as n
        from trivet.chosen_rows_of(liked) c
        where by_rating group by c.user_id
        union all select a.user_id, a.n from timed_users a where not by_rating
    ), liked_items as materialized (
        select c.item_id, count(*) as n
        from trivet.chosen_rows_of(liked) c
        where by_rating group by c.item_id
        union all select a.item_id, a.n from timed_items a where not by_rating
    ), chosen_users as materialized (
        select c.user_id, count(*) as n
        from trivet.chosen_rows_of(chosen) c
        where by_genre group by c.user_id
        union all select a.user_id, a.n from liked_users a where not by_genre
    ), chosen_items as materialized (
        select c.item_id, count(*) as n
        from trivet.chosen_rows_of(chosen) c
        where by_genre group by c.item_id
        union all select a.item_id, a.n from liked_items a where not by_genre

    -- The two cuts, both on the counts above; then the sample.
    ), kept_items as materialized (
        select c.item_id, c.n from chosen_items c where c.n > given.min_users_for_item
    ), kept_users as materialized (
        select c.user_id, c.n, given.sample_users >= 1
               or (hashint8extended(c.user_id, 0) & 2147483647) < given.sample_users::float8 * 2147483648 as sampled
        from chosen_users c where c.n between given.min_items_for_user and given.max_items_for_user
    ), on_kept_items as materialized (
        -- One row is enough: the index finds it after a few.
        select a.user_id
        from chosen_users a cross join lateral (
            select from trivet.chosen_rows_of(chosen) c
            where c.user_id = a.user_id and (c.item_id in (select k.item_id from kept_items k)) is true
            limit 1) reached
    ), rows_of_kept_users as materialized (
        select c.user_id, count(*) as n, count(distinct c.item_id) as pairs
        from trivet.chosen_rows_of(chosen) c
        where (c.user_id in (select k.user_id from kept_users k)) is true
          and (c.item_id in (select k.item_id from kept_items k)) is true
        group by c.user_id
    ), remaining as materialized (
        select k.user_id, k.sampled, coalesce(o.n, 0) as n, coalesce(o.pairs, 0) as pairs
        from kept_users k left join rows_of_kept_users o using (user_id)

    -- One average a pair. The row limit cuts within one user, after one item.
    ), pairs as materialized (
        select r.user_id, r.pairs as n, sum(r.pairs) over (order by r.user_id) as up_to
        from remaining r where r.sampled and r.n > 0
    ), last_user as materialized (
        select p.user_id, p.up_to - p.n as before, t.total
        from pairs p cross join (select sum(n) as total from pairs) t
        where t.total > given.max_row_number
          and p.up_to >= given.max_row_number and p.up_to - p.n < given.max_row_number
    ), last_pair as materialized (
        select l.user_id, i.item_id, l.total
        from last_user l cross join lateral (
            select distinct c.item_id
            from trivet.chosen_rows_of(chosen) c
            where c.user_id = l.user_id and (c.item_id in (select k.item_id from kept_items k)) is true
            order by c.item_id offset given.max_row_number - l.before - 1 limit 1) i
    ), learned_users as materialized (
        select p.user_id from pairs p
        where p.user_id <= (select l.user_id from last_pair l) or not exists (select from last_pair)
    ), bound as materialized (
        -- The pair that the row limit cuts after; beyond every pair where it does not.
        select coalesce(max(l.user_id), 9223372036854775807) as user_id,
               coalesce(max(l.item_id), 9223372036854775807) as item_id
        from last_pair l
    ), of_kept_users as (
        select c.user_id, c.item_id, given.sample_users >= 1
               or (hashint8extended(c.user_id, 0) & 2147483647) < given.sample_users::float8 * 2147483648 as sampled
        from trivet.chosen_rows_of(chosen) c
        where (c.user_id in (select k.user_id from kept_users k)) is true
    ), items_of_kept_users as materialized (
        -- Whether the sample has the item, whether it comes before the cut, and its rows of users learned from.
        select i.item_id, i.sampled, i.learned, i.n
        from (select c.item_id, bool_or(c.sampled) as sampled,
                     bool_or(c.sampled and (c.user_id, c.item_id) <= ((select b.user_id from bound b),
                                                                      (select b.item_id from bound b))) as learned,
                     count(*) filter (where c.sampled and c.user_id <= (select b.user_id from bound b)) as n
              from of_kept_users c group by c.item_id) i
             join kept_items k using (item_id)
    ), learned_items as materialized (
        select i.item_id, i.n from items_of_kept_users i where i.learned

    -- Everybody is served from their evidence, learned from or not.
    ), folded_users as materialized (
        -- One row on an item of the model is enough: the index finds it after a few.
        select a.user_id
        from all_users a cross join lateral (
            select from trivet.chosen_rows_of(served) c
            where c.user_id = a.user_id and (c.item_id in (select k.item_id from learned_items k)) is true
            limit 1) reached
        where a.user_id not in (select k.user_id from learned_users k)
    ), items_of_folded_users as materialized (
        -- Who is not learned from, but has a row on an item of the model, is folded in. So the rows of such an item
        -- are theirs but for those of users learned from, as long as both come from the same rows.
        select i.item_id, c.n - i.n as n
        from learned_items i join chosen_items c using (item_id)
        where not only_learning and c.n > i.n
        union all
        select c.item_id, count(*)
        from trivet.chosen_rows_of(served) c
        where only_learning
          and (c.item_id in (select k.item_id from learned_items k)) is true
          and (c.user_id in (select k.user_id from folded_users k)) is true
        group by c.item_id
    ), unreached_users as materialized (
        select a.user_id, a.n from all_users a
        where a.user_id not in (select k.user_id from learned_users k)
          and a.user_id not in (select k.user_id from folded_users k)

    ), counted (step, name, n, users, items) as (
        select 1, 'all', (select sum(n) from all_users), (select count(*) from all_users), (select count(*) from all_items)
        union all
        select 2, 'time', (select sum(n) from timed_users), (select count(*) from timed_users),
               (select count(*) from timed_items)
        union all
        select 3, 'min_rating', (select sum(n) from liked_users), (select count(*) from liked_users),
               (select count(*) from liked_items)
        union all
        select 4, 'genres', (select sum(n) from chosen_users), (select count(*) from chosen_users),
               (select count(*) from chosen_items)
        union all
        select 5, 'item cut', (select sum(n) from kept_items), (select count(*) from on_kept_items),
               (select count(*) from kept_items)
        union all
        select 6, 'user cut', (select sum(n) from remaining), (select count(*) from remaining r where r.n > 0),
               (select count(*) from items_of_kept_users)
        union all
        select 7, 'sample', (select sum(n) from remaining r where r.sampled),
               (select count(*) from remaining r where r.sampled and r.n > 0),
               (select count(*) from items_of_kept_users i where i.sampled)
        union all
        select 8, 'pairs', (select sum(n) from pairs), (select count(*) from pairs),
               (select count(*) from items_of_kept_users i where i.sampled)
        union all
        select s.step, s.name, (select least(coalesce(sum(n), 0), given.max_row_number) from pairs),
               (select count(*) from learned_users), (select count(*) from learned_items)
        from (values (9, 'row limit'), (10, 'users learned from')) s (step, name)
        union all
        select 11, 'users folded in', (select sum(n) from items_of_folded_users), (select count(*) from folded_users),
               (select count(*) from items_of_folded_users)
        union all
        select 12, 'users not reached', (select sum(n) from unreached_users), (select count(*) from unreached_users),
               (select count(*) from (
                    select r.item_id from trivet.rating r
                    where exists (select from unreached_users)
                      and (r.user_id in (select k.user_id from unreached_users k)) is true
                    group by r.item_id) i)
    ), beside as (
        -- The last three steps divide the users; they remove nothing.
        select c.step, c.name, coalesce(c.n, 0)::bigint as n, c.users, c.items, c.step <= 9 and c.step > 1 as removes,
               lag(c.step) over w, coalesce(lag(c.n) over w, 0)::bigint as n_before, lag(c.users) over w as users_before,
               lag(c.items) over w as items_before
        from counted c window w as (order by c.step)
    ), below as (
        select count(*) filter (where r.n < given.min_items_for_user) as users,
               count(*) filter (where r.n < given.min_items_for_user and r.sampled) as sampled
        from remaining r
    )
    select b.step, b.name, b.n, b.users, b.items, b.n / nullif(b.users * b.items, 0)::float8,
           case when b.removes then b.n_before - b.n end, case when b.removes then b.users_before - b.users end,
           case when b.removes then b.items_before - b.items end,
           case b.step when 6 then w.users when 7 then w.sampled end,
           case b.step when 9 then exists (select from last_pair) end,
           case b.step
               when 1 then 'all rating rows'
               when 2 then coalesce(nullif(concat_ws(', ', 'rated since ' || given.rated_since, 'rated before ' || given.rated_until,
                                                     trivet.set_beside(2, given)), ''), 'any time')
               when 3 then coalesce(nullif(concat_ws(', ', 'rating rows of at least ' || given.min_rating,
                                                     trivet.set_beside(3, given)), ''), 'any rating')
               when 4 then coalesce(nullif(concat_ws(', ', 'items of any of the genres ' || array_to_string(given.genres, ', '),
                                                     trivet.set_beside(4, given)), ''), 'any genre')
               when 5 then format('items with more than %s rating rows', trivet.readable(given.min_users_for_item))
               when 6 then format('users with %s to %s rating rows, counted before the item cut; %s of them have fewer left',
                                  trivet.readable(given.min_items_for_user),
                                  trivet.readable(given.max_items_for_user), trivet.readable(w.users))
               when 7 then coalesce(nullif(concat_ws(', ', case when given.sample_users < 1 then
                                                         format('a share of %s of the users, by a hash of the id', given.sample_users) end,
                                                     trivet.set_beside(7, given)), ''), 'all users')
               when 8 then 'one average a pair of user and item'
               when 9 then coalesce(
                    (select format('cut: kept %s of %s pairs, only users %s to %s are learned',
                                   trivet.readable(given.max_row_number), trivet.readable(l.total::bigint),
                                   (select min(k.user_id) from learned_users k), l.user_id) from last_pair l),
                    format('at most %s pairs: nothing cut', trivet.readable(given.max_row_number)))
               when 10 then 'the matrix that is factorised'
               when 11 then 'other users, with their rating rows on items of the model'
               when 12 then 'users without a rating row on an item of the model: they get the popular list'
           end,
           to_jsonb(given)
    from beside b cross join below w
    order by b.step;
end
$$;
comment on function trivet.funnel_of(trivet.filter_values) is
'The filter step by step, with the parameters of trivet.user_item: one row a step, in order.
1 all rating rows; 2 time, 3 min_rating, 4 genres: the conditions on rows; 5 item cut; 6 user cut; 7 sample of users;
8 pairs, after averaging; 9 row limit: what trivet.user_item returns. Then who the model serves: 10 users learned from,
11 users folded in from their evidence, 12 users that no item of the model reaches; these three are all users.
row_count counts rating rows up to step 7 and in steps 11 and 12, pairs in steps 8 to 10; density is row_count by users x items.
removed_rows, removed_users, removed_items: what the step took away. users_below_minimum: users whom the user cut keeps,
but whom the item cut leaves fewer than min_items_for_user rating rows, or none. limit_cut: whether the row limit
cut. parameters: the values all this was computed with.
    select step, name, row_count, users, items, note from trivet.funnel(max_items_for_user => 200);';

create or replace view trivet.funnel as select * from trivet.funnel_of(trivet.filter_defaults());
comment on view trivet.funnel is 'trivet.funnel() at the defaults of the filter.';
