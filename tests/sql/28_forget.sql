-- Forgetting: which texts name an id, and what is deleted of whom.
begin;
select plan(13);

select ok(trivet.names_id(t, '12'), 'named in ' || t) from unnest(array['12,1,5', '1::12::5', '"12";3', '12.0,4', 'x 12']) t;
select ok(not trivet.names_id(t, '12'), 'not named in ' || t) from unnest(array['112,1,5', '12.5,3', 'a-12,4']) t;
select ok(trivet.names_id('u.1*,i,3', 'u.1*') and not trivet.names_id('ux1,i,3', 'u.1*'), 'a code is no pattern');

insert into trivet.rating (user_id, item_id, value) values (1, 10, 5), (1, 11, 4), (2, 10, 3), (2, 12, 1);
insert into trivet.tag (user_id, item_id, tag) values (1, 10, 'a'), (2, 12, 'b');
insert into trivet.user_change (user_id, rev, xid) values (1, 3, pg_current_xact_id()), (2, 4, pg_current_xact_id());

select is(trivet.forget_user(1, 1), 2::bigint, 'how many ratings there were');
select results_eq('select user_id, item_id from trivet.rating union all select user_id, item_id from trivet.tag order by 1, 2',
    'values (2::bigint, 10::bigint), (2, 12), (2, 12)', 'another user keeps all');
select results_eq('select item_id, rev > counted_rev from trivet.item_change order by 1', 'values (10::bigint, true), (11, true)', 'their items are counted again');

select trivet.forget_item(12, 3);
select results_eq('select user_id, rev from trivet.user_change', 'values (2::bigint, 5::bigint)', 'who rated an item is folded in again');

select * from finish();
rollback;
