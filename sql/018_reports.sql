-- 018_reports: what the filter's result looks like.

create or replace function trivet.sparsity_of(given trivet.filter_values)
returns table (row_count bigint, users bigint, items bigint, user_ids bigint, item_ids bigint,
               users_without_activity float8, items_without_views float8, density float8)
language sql stable parallel safe as $$
    with kept as (
        select * from trivet.user_item_of(given)
    ), counted as (
        select count(*) as n, (select count(*) from (select distinct userid from kept) u) as users,
               (select count(*) from (select distinct movieid from kept) i) as items,
               max(userid) + 1 as user_ids, max(movieid) + 1 as item_ids
        from kept
    )
    select n, users, items, user_ids, item_ids,
           1 - users::float8 / nullif(user_ids, 0), 1 - items::float8 / nullif(item_ids, 0),
           n::float8 / nullif(users * items, 0)
    from counted
$$;
comment on function trivet.sparsity_of(trivet.filter_values) is
'How sparse the filter''s result is. user_ids and item_ids are the largest id + 1: the sides of a matrix over raw ids;
users_without_activity and items_without_views are the shares of its empty rows and columns. density is the share of
filled cells of the dense matrix, users x items.';

create or replace view trivet.sparsity as select * from trivet.sparsity_of(trivet.filter_defaults());
comment on view trivet.sparsity is 'trivet.sparsity() at the defaults of the filter.';

create or replace function trivet.why_empty_of(given trivet.filter_values) returns table (step text, suggestion text)
language sql stable parallel safe as $$
    with chosen as materialized (
        select c.user_id, c.item_id,
               count(*) over (partition by c.item_id) as of_item, count(*) over (partition by c.user_id) as of_user
        from trivet.chosen_rows_of(given) c
    ), facts as (
        -- What a row needs to survive one cut, if it survives the other.
        select (select count(*) from trivet.rating where (select trivet.check_snapshot())) as total, count(*) as chosen,
               max(of_item) as most_of_item,
               count(*) filter (where of_item > given.min_users_for_item) as after_items,
               count(*) filter (where of_user between given.min_items_for_user and given.max_items_for_user) as after_users,
               max(of_item) filter (where of_user between given.min_items_for_user and given.max_items_for_user) as item_count,
               min(of_user) filter (where of_item > given.min_users_for_item and of_user > given.max_items_for_user) as user_above,
               max(of_user) filter (where of_item > given.min_users_for_item and of_user < given.min_items_for_user) as user_below
        from chosen
    )
    select case
               when total = 0 then 'trivet.rating has no rows'
               when chosen = 0 then format('no rating meets the conditions on rows (%s)',
                                            (select string_agg(t.name, ', ' order by t.nr) from trivet.filter_table() t where t.step <= 4))
               when after_items = 0 then format('the item cut: no item has more than %s rating rows, the most rated has %s', given.min_users_for_item, most_of_item)
               when after_users = 0 then format('the user cut: no user has %s to %s rating rows', given.min_items_for_user, given.max_items_for_user)
               when item_count <= given.min_users_for_item then 'the two cuts together: no user who stays has rated an item that stays'
               when given.sample_users < 1 then 'the sample of users'
           end,
           case
               when total = 0 then 'trivet-etl load DIR'
               when chosen = 0 then 'take one of these conditions back'
               when item_count <= given.min_users_for_item then format('--set min_users_for_item=%s', item_count - 1)
               when user_above is not null then format('--set max_items_for_user=%s', user_above)
               when user_below is not null then format('--set min_items_for_user=%s', user_below)
               when after_items = 0 or after_users = 0 then '--set min_users_for_item=0 --set min_items_for_user=0 --set max_items_for_user=1000000'
               when given.sample_users < 1 then '--set sample_users=1'
           end
    from facts
$$;
comment on function trivet.why_empty_of(trivet.filter_values) is
'For a filter that keeps nothing: the step that emptied it, and a setting that would not. Nulls where it keeps something.';
