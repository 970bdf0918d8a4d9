-- 013_activity: the distributions that thresholds are chosen from, and why one item or one user is not in the result.

create or replace function trivet.activity_of_users_of(given trivet.filter_values)
returns table (count bigint, how_many bigint, cumulative_share float8, share_of_rows float8, quantiles float8[], kept boolean)
language sql stable parallel safe as $$
    with activity as (
        select c.user_id, count(*) as n
        from trivet.chosen_rows_of(given) c
        group by c.user_id
    ), running as materialized (
        select a.n, count(*) as how_many, sum(count(*)) over w as up_to, sum(count(*)) over () as of_all,
               sum(a.n * count(*)) over w as rows_up_to, sum(a.n * count(*)) over () as all_rows
        from activity a group by a.n window w as (order by a.n)
    )
    select r.n, r.how_many, r.up_to::float8 / r.of_all::float8, r.rows_up_to::float8 / r.all_rows::float8,
           (select array_agg(q order by q)
            from unnest('{0,0.01,0.05,0.1,0.25,0.5,0.75,0.9,0.95,0.99,1}'::float8[]) q
            where greatest(ceil(q * r.of_all::float8), 1) between r.up_to - r.how_many + 1 and r.up_to),
           r.n between given.min_items_for_user and given.max_items_for_user
    from running r
    where trivet.check_filter_of(given)
    order by r.n
$$;
comment on function trivet.activity_of_users_of(trivet.filter_values) is
'How many rating rows users have: one row a number of rating rows, ascending. count: rating rows of a user; how_many: users with
so many; cumulative_share: share of all users who have at most so many; share_of_rows: share of all rating rows that are
theirs; quantiles: which of the quantiles 0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1 this count is; kept: whether
min_items_for_user and max_items_for_user keep these users. Takes the parameters of trivet.user_item, so that one call can be
made from the other: conditions on rows hold, the other parameters change nothing.
    select count, quantiles from trivet.activity_of_users where quantiles is not null;';

create or replace function trivet.activity_of_items_of(given trivet.filter_values)
returns table (count bigint, how_many bigint, cumulative_share float8, share_of_rows float8, quantiles float8[], kept boolean)
language sql stable parallel safe as $$
    with activity as (
        select c.item_id, count(*) as n
        from trivet.chosen_rows_of(given) c
        group by c.item_id
    ), running as materialized (
        select a.n, count(*) as how_many, sum(count(*)) over w as up_to, sum(count(*)) over () as of_all,
               sum(a.n * count(*)) over w as rows_up_to, sum(a.n * count(*)) over () as all_rows
        from activity a group by a.n window w as (order by a.n)
    )
    select r.n, r.how_many, r.up_to::float8 / r.of_all::float8, r.rows_up_to::float8 / r.all_rows::float8,
           (select array_agg(q order by q)
            from unnest('{0,0.01,0.05,0.1,0.25,0.5,0.75,0.9,0.95,0.99,1}'::float8[]) q
            where greatest(ceil(q * r.of_all::float8), 1) between r.up_to - r.how_many + 1 and r.up_to),
           r.n > given.min_users_for_item
    from running r
    where trivet.check_filter_of(given)
    order by r.n
$$;
comment on function trivet.activity_of_items_of(trivet.filter_values) is
'How many rating rows items have: one row a number of rating rows, ascending. The columns are those of
trivet.activity_of_users; kept says whether an item has more than min_users_for_item rating rows.
    select count, quantiles from trivet.activity_of_items where quantiles is not null;';

create or replace view trivet.activity_of_users as select * from trivet.activity_of_users_of(trivet.filter_defaults());
comment on view trivet.activity_of_users is 'trivet.activity_of_users() at the defaults of the filter.';
create or replace view trivet.activity_of_items as select * from trivet.activity_of_items_of(trivet.filter_defaults());
comment on view trivet.activity_of_items is 'trivet.activity_of_items() at the defaults of the filter.';

-- --- why one is not in the result --------------------------------------------------------------------------------
--
-- Both ask step after step, in the order of trivet.funnel, and stop at the first that removes the item or the user. So
-- the counts of funnel are those of everybody whom these name the step for.

create or replace function trivet.why_item_of(id bigint, given trivet.filter_values)
returns table (item_id bigint, title text, kept boolean, step int, name text, counted bigint, threshold bigint, reason text)
language plpgsql stable parallel restricted
set work_mem = '64MB'
set jit = off
set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
    timed constant trivet.filter_values := trivet.filter_up_to(2, given);
    liked constant trivet.filter_values := trivet.filter_up_to(3, given);
    everybody constant trivet.filter_values := trivet.filter_up_to(6, given); -- before the sample
    before bigint; -- rating rows that came as far as this step
begin
    perform trivet.check_filter_of(given);
    item_id := id;
    title := (select i.title from trivet.item i where i.item_id = id);
    kept := false;
    step := 1;
    name := 'all';
    counted := (select count(*) from trivet.rating r where (select trivet.check_snapshot()) and r.item_id = id);
    if counted = 0 then
        reason := case when exists (select from trivet.item i where i.item_id = id)
                       then 'nobody rated it' else 'there is no such item' end;
        return next;
        return;
    end if;

    step := 2;
    name := 'time';
    before := counted;
    counted := (select count(*) from trivet.chosen_rows_of(timed) c where c.item_id = id);
    if counted = 0 then
        reason := format('none of its %s rating rows lies in the time asked for', trivet.readable(before));
        return next;
        return;
    end if;

    step := 3;
    name := 'min_rating';
    before := counted;
    counted := (select count(*) from trivet.chosen_rows_of(liked) c where c.item_id = id);
    if counted = 0 then
        reason := format('none of its %s rating rows is at least %s', trivet.readable(before), given.min_rating);
        return next;
        return;
    end if;

    step := 4;
    name := 'genres';
    counted := (select count(*) from trivet.chosen_rows_of(given) c where c.item_id = id);
    if counted = 0 then
        reason := coalesce('it has none of the genres ' || array_to_string(given.genres, ', '),
                           'it does not meet ' || trivet.set_beside(4, given));
        return next;
        return;
    end if;

    step := 5;
    name := 'item cut';
    threshold := given.min_users_for_item;
    if counted <= given.min_users_for_item then
        reason := format('it has %s rating rows, not more than %s (min_users_for_item)', trivet.readable(counted),
                         trivet.readable(given.min_users_for_item));
        return next;
        return;
    end if;

    step := 6;
    name := 'user cut';
    threshold := null;
    before := counted;
    counted := (select count(*) from trivet.chosen_rows_of(given) c
                where c.item_id = id and (c.user_id in (
                    select k.userid from trivet.kept_users_of(everybody) k)) is true);
    if counted = 0 then
        reason := format('none of its %s rating rows is of a user with %s to %s rating rows', trivet.readable(before),
                         trivet.readable(given.min_items_for_user), trivet.readable(given.max_items_for_user));
        return next;
        return;
    end if;

    step := 7;
    name := 'sample';
    before := counted;
    counted := (select count(*) from trivet.chosen_rows_of(given) c
                where c.item_id = id and (c.user_id in (
                    select k.userid from trivet.kept_users_of(given) k)) is true);
    if counted = 0 then
        reason := format('none of its %s rating rows of kept users is of a user in the sample of %s',
                         trivet.readable(before), given.sample_users);
        return next;
        return;
    end if;

    step := 9;
    name := 'row limit';
    threshold := given.max_row_number;
    counted := (select count(*)
                from trivet.user_item_of(given) f
                where f.movieid = id);
    if counted = 0 then
        reason := format('all its pairs come after the first %s (max_row_number)', trivet.readable(given.max_row_number));
        return next;
        return;
    end if;

    kept := true;
    step := null;
    name := null;
    threshold := null;
    reason := format('kept, with %s pairs', trivet.readable(counted));
    return next;
end
$$;
comment on function trivet.why_item_of(bigint, trivet.filter_values) is
'Whether trivet.user_item keeps an item, and if not, which step of trivet.funnel removed it: step and name as there, the
rating rows counted at that step beside the threshold, and the reason in words. Kept, without a step: it is in the result,
with so many pairs.
    select * from trivet.why_item(5, max_items_for_user => 200);';

create or replace function trivet.why_user_of(id bigint, given trivet.filter_values)
returns table (user_id bigint, kept boolean, step int, name text, counted bigint, threshold bigint, reason text)
language plpgsql stable parallel restricted
set work_mem = '64MB'
set jit = off
set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
    timed constant trivet.filter_values := trivet.filter_up_to(2, given);
    liked constant trivet.filter_values := trivet.filter_up_to(3, given);
    before bigint; -- rating rows that came as far as this step
    chosen bigint; -- rating rows that meet the conditions on rows: what the user cut counts
begin
    perform trivet.check_filter_of(given);
    user_id := id;
    kept := false;
    step := 1;
    name := 'all';
    counted := (select count(*) from trivet.rating r where (select trivet.check_snapshot()) and r.user_id = id);
    if counted = 0 then
        reason := 'they rated nothing';
        return next;
        return;
    end if;

    step := 2;
    name := 'time';
    before := counted;
    counted := (select count(*) from trivet.chosen_rows_of(timed) c where c.user_id = id);
    if counted = 0 then
        reason := format('none of their %s rating rows lies in the time asked for', trivet.readable(before));
        return next;
        return;
    end if;

    step := 3;
    name := 'min_rating';
    before := counted;
    counted := (select count(*) from trivet.chosen_rows_of(liked) c where c.user_id = id);
    if counted = 0 then
        reason := format('none of their %s rating rows is at least %s', trivet.readable(before), given.min_rating);
        return next;
        return;
    end if;

    step := 4;
    name := 'genres';
    before := counted;
    counted := (select count(*) from trivet.chosen_rows_of(given) c where c.user_id = id);
    if counted = 0 then
        reason := format('none of their %s rating rows is on an item %s', trivet.readable(before),
                         coalesce('of the genres ' || array_to_string(given.genres, ', '), 'that meets ' || trivet.set_beside(4, given)));
        return next;
        return;
    end if;

    step := 5;
    name := 'item cut';
    threshold := given.min_users_for_item;
    chosen := counted;
    counted := (select count(*) from trivet.chosen_rows_of(given) c
                where c.user_id = id and (c.item_id in (
                    select k.movieid from trivet.kept_items_of(given) k)) is true);
    if counted = 0 then
        reason := format('none of their %s rating rows is on an item with more than %s rating rows',
                         trivet.readable(chosen), trivet.readable(given.min_users_for_item));
        return next;
        return;
    end if;

    step := 6;
    name := 'user cut';
    counted := chosen;
    if chosen < given.min_items_for_user then
        threshold := given.min_items_for_user;
        reason := format('they have %s rating rows, fewer than %s (min_items_for_user)', trivet.readable(chosen),
                         trivet.readable(given.min_items_for_user));
        return next;
        return;
    elsif chosen > given.max_items_for_user then
        threshold := given.max_items_for_user;
        reason := format('they have %s rating rows, more than %s (max_items_for_user)', trivet.readable(chosen),
                         trivet.readable(given.max_items_for_user));
        return next;
        return;
    end if;

    step := 7;
    name := 'sample';
    threshold := null;
    if not exists (select from trivet.kept_users_of(given) k where k.userid = id) then
        reason := format('they are not in the sample of %s of the users', given.sample_users);
        return next;
        return;
    end if;

    step := 9;
    name := 'row limit';
    threshold := given.max_row_number;
    counted := (select count(*)
                from trivet.user_item_of(given) f
                where f.userid = id);
    if counted = 0 then
        reason := format('all their pairs come after the first %s (max_row_number)', trivet.readable(given.max_row_number));
        return next;
        return;
    end if;

    kept := true;
    step := null;
    name := null;
    threshold := null;
    reason := format('learned from, with %s pairs', trivet.readable(counted));
    return next;
end
$$;
comment on function trivet.why_user_of(bigint, trivet.filter_values) is
'Whether trivet.user_item keeps a user, and if not, which step of trivet.funnel removed them: step and name as there, the
rating rows counted at that step beside the threshold, and the reason in words. Who is not kept is still served: see the last
steps of the funnel.
    select * from trivet.why_user(10, min_items_for_user => 20);';
