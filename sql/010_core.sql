-- 010_core: the filter whose result meets its own minimums, trivet.user_item_core.
--
-- trivet.user_item counts once, before either cut, so a kept user can end with fewer pairs than the minimum. Here both
-- cuts are repeated until nothing changes. What is left is the largest set of pairs in which every item has more than
-- min_users_for_item users and every user at least min_items_for_user items; a graph's "core". It does not depend on
-- the order of the cuts, because a count never grows again: whatever one order removes, every other order removes too.
--
-- The same holds for max_items_for_user, counted on the pairs before any cut: who has more is out from the start, and
-- nobody can exceed it later.
--
-- trivet.core counts everything once. Then each round only looks at the pairs of those whom the last one removed: what
-- their neighbours lose. On a million ratings a round takes about a quarter of a second, and there are usually less
-- than ten. No temporary tables: it runs in a READ ONLY transaction and on a standby.

create or replace function trivet.core_of(given trivet.filter_values) returns table (userids bigint[], movieids bigint[])
language plpgsql stable parallel restricted
set work_mem = '64MB'
set jit = off
set plan_cache_mode = force_custom_plan as $$
declare
    -- Whoever has no pair left is not in the result, whatever the minimum says.
    users_needed constant bigint := given.min_users_for_item::bigint + 1;
    items_needed constant bigint := greatest(given.min_items_for_user, 1);
    items_left bigint[]; -- of each of userids: pairs with items that are not removed
    users_left bigint[]; -- of each of movieids
    gone bigint[];       -- who was removed in this round
begin
    perform trivet.check_filter_of(given);

    -- DISTINCT ON, because it takes the pairs in the order of the index; GROUP BY would hash a million of them.
    select array_agg(t.user_id order by t.user_id), array_agg(t.n order by t.user_id) into userids, items_left
    from (select p.user_id, count(*) as n
          from (select distinct on (c.user_id, c.item_id) c.user_id
                from trivet.chosen_rows_of(given) c
                where given.sample_users >= 1
                   or (hashint8extended(c.user_id, 0) & 2147483647) < given.sample_users::float8 * 2147483648
                order by c.user_id, c.item_id) p
          group by p.user_id having count(*) between items_needed and given.max_items_for_user) t;
    select array_agg(t.item_id order by t.item_id), array_agg(t.n order by t.item_id) into movieids, users_left
    from (select p.item_id, count(*) as n
          from (select distinct on (c.user_id, c.item_id) c.item_id
                from trivet.chosen_rows_of(given) c
                where (c.user_id in (select unnest(userids))) is true
                order by c.user_id, c.item_id) p
          group by p.item_id) t;

    loop
        -- Items with too few users go, and their users have so many items less.
        select array_agg(t.id) filter (where t.n < users_needed), array_agg(t.id) filter (where t.n >= users_needed),
               array_agg(t.n) filter (where t.n >= users_needed)
        into gone, movieids, users_left
        from unnest(movieids, users_left) t (id, n);
        exit when gone is null;
        with lost as (
            select c.user_id, count(distinct c.item_id) as n
            from trivet.chosen_rows_of(given) c
            where (c.item_id in (select unnest(gone))) is true
            group by c.user_id
        ), remaining as (
            select t.id, t.n - coalesce(l.n, 0) as n
            from unnest(userids, items_left) t (id, n) left join lost l on l.user_id = t.id
        )
        select array_agg(r.id) filter (where r.n < items_needed),
               array_agg(r.id order by r.id) filter (where r.n >= items_needed),
               array_agg(r.n order by r.id) filter (where r.n >= items_needed)
        into gone, userids, items_left
        from remaining r;

        -- Users with too few items go, and their items have so many users less.
        exit when gone is null;
        with lost as (
            select c.item_id, count(distinct c.user_id) as n
            from trivet.chosen_rows_of(given) c
            where (c.user_id in (select unnest(gone))) is true
            group by c.item_id
        )
        select array_agg(t.id order by t.id), array_agg(t.n - coalesce(l.n, 0) order by t.id)
        into movieids, users_left
        from unnest(movieids, users_left) t (id, n) left join lost l on l.item_id = t.id;
    end loop;
    userids := coalesce(userids, '{}');
    movieids := coalesce(movieids, '{}');
    return next;
end
$$;
comment on function trivet.core_of(trivet.filter_values) is
'One row: the users and the items that trivet.user_item_core keeps, both ascending.';

create or replace function trivet.user_item_core_of(given trivet.filter_values)
returns table (userid bigint, movieid bigint, rating real)
language sql stable parallel restricted as $$
    with core as materialized (
        select * from trivet.core_of(given)
    )
    select c.user_id, c.item_id, avg(c.value)::real
    from trivet.chosen_rows_of(given) c
    where trivet.check_filter_of(given)
      and (c.item_id in (select unnest(k.movieids) from core k)) is true
      and (c.user_id in (select unnest(k.userids) from core k)) is true
    group by c.user_id, c.item_id
    order by c.user_id, c.item_id
    limit given.max_row_number
$$;
comment on function trivet.user_item_core_of(trivet.filter_values) is
'Like trivet.user_item with the same parameters, but both cuts are repeated until nothing changes, and count pairs, not
rating rows: every item left has more than min_users_for_item users, every user left min_items_for_user to
max_items_for_user items. Use it where a user must truly have so many items to be learned from.
A user with more than max_items_for_user pairs before any cut is out from the start, even if the cuts would leave them
fewer; as counts never grow, nobody can exceed it later. The sample of users is taken first, so items count sampled users only.
max_row_number cuts last, in (userid, movieid) order: where it cuts, the last user and some items can have fewer again.
    select * from trivet.user_item_core(min_users_for_item => 5, max_row_number => 10000000);';
