-- Forgetting: which texts name an id, and what is deleted of whom.
begin;
select plan(50);

select ok(trivet.names_id(t, '12'), 'named in ' || t) from unnest(array['12,1,5', '1::12::5', '"12";3', '12.0,4', 'x 12']) t;
select ok(not trivet.names_id(t, '12'), 'not named in ' || t) from unnest(array['112,1,5', '12.5,3', 'a-12,4']) t;
select ok(trivet.names_id(t, '1234005'), 'named in ' || t)
from unnest(array['1234005,1,5', '"1,234,005",3', '1.234.005;3', '1 234 005;3', E'1\u00a0234\u00a0005;3', '01234005,2', '+1234005,2', '1234005,0;4', '1.234005E6,3', '1.234005e+06,3']) t;
select ok(not trivet.names_id(t, '1234005'), 'not named in ' || t) from unnest(array['12,34005,1', '1.234006E6', '1.234005E7', '1234,0051', '91234005,1']) t;
select ok(trivet.names_id('-0012,3', '-12') and not trivet.names_id('12,3', '-12'), 'a negative one');
select ok(trivet.names_id(t, 'say "hi" x'), 'named in ' || t) from unnest(array['say "hi" x,3', '"say ""hi"" x",3', '"say \"hi\" x";3']) t;
select ok(trivet.names_id('u.1*,i,3', 'u.1*') and not trivet.names_id('ux1,i,3', 'u.1*'), 'a code is no pattern');

insert into trivet.load (state, name, source, row_count, dataset) values ('complete', 'films', 'films', 9, trivet.current_dataset());
create temporary table the_load as select max(id) as id from trivet.load;
do $$
begin
    execute format('create table trivet.rating_load_%s partition of trivet.rating for values in (%1$s)', (select id from the_load));
end
$$;
insert into trivet.rating (user_id, item_id, value, load_id) select u, i, 3, id from the_load, (values (7, 30), (7, 31), (8, 30), (9, 32)) v (u, i);
insert into trivet.rating (user_id, item_id, value) values (7, 32, 1);
select is(trivet.forget_user(7), 3::bigint, 'loaded and live ones');
select is((select row_count from trivet.load l join the_load using (id)), 7::bigint, 'a load has less ratings, by those it brought');
select is(trivet.forget_user(7) + trivet.forget_item(30, 1), 1::bigint, 'an item''s');
select is((select row_count from trivet.load l join the_load using (id)), 6::bigint, 'and less again');
select ok(trivet.forget_finds('user', 9) and trivet.forget_finds('item', 32), 'what has ratings is found');
select ok(not trivet.forget_finds('user', 32) and not trivet.forget_finds('item', 9), 'a user is no item');
insert into trivet.reject select id, 'f', 1, 'r', '99,,5' from the_load;
update trivet.load set report = '{"examples": {"rating is not a number": "ratings.csv line 3: \"1,005\",3,bad"}}' where id = (select id from the_load);
select ok(trivet.forget_finds('user', 1005), 'what an example quotes is found');
select trivet.forget_rejects('1005');
select ok(not trivet.forget_finds('user', 1005), 'and goes');
select ok(trivet.names_id('1.005e003,3,bad', '1005'), 'an exponent of three digits');
select ok(trivet.forget_finds('user', 99) and not trivet.forget_finds('user', 9900), 'what a refused line names is found');

insert into trivet.run (command, parameters, filter, source, message) values
    ('trivet-train fit', '{"factors": 10}', '{"min_users_for_item": 10}', 'trivet.training(min_users_for_item => 10)', 'model 10');
select is(trivet.forget_mentions('10'), null, 'defaults are not typed');
insert into trivet.run (id, command, source, evidence) overriding system value values
    (900001, 'trivet-train fit --source x', 'x where u <> 10', 'SELECT x'), (900002, 'trivet-train fit --factors 10', null, null);
select is(trivet.forget_mentions('10'), 'run 900001, run 900002', 'a source of one''s own and a command are');
select lives_ok($$select trivet.save_preset('p-771', note => 'without 771')$$, 'a preset');
select is(trivet.forget_mentions('771'), 'preset p-771', 'that names it');
delete from trivet.rating;
delete from trivet.item_change;
delete from trivet.user_change;

insert into trivet.rating (user_id, item_id, value) values (1, 10, 5), (1, 11, 4), (2, 10, 3), (2, 12, 1);
insert into trivet.tag (user_id, item_id, tag) values (1, 10, 'a'), (2, 12, 'b');
insert into trivet.user_change (user_id, rev, xid) values (1, 3, pg_current_xact_id()), (2, 4, pg_current_xact_id());

select is(trivet.forget_user(1), 2::bigint, 'how many ratings there were');
select results_eq('select user_id, item_id from trivet.rating union all select user_id, item_id from trivet.tag order by 1, 2',
    'values (2::bigint, 10::bigint), (2, 12), (2, 12)', 'another user keeps all');
select results_eq('select item_id, rev > counted_rev from trivet.item_change order by 1', 'values (10::bigint, true), (11, true)', 'their items are counted again');

insert into trivet.item_change (item_id, rev, counted_rev, xid) values (12, 50, 50, pg_current_xact_id());
select trivet.forget_item(12, 3);
select results_eq('select user_id, rev from trivet.user_change', 'values (2::bigint, 5::bigint)', 'who rated an item is folded in again');

select trivet.count_change(2, array[12]);
select is((select rev from trivet.item_change where item_id = 12), 51::bigint, 'an item that comes back counts on from what it had');
delete from trivet.item_change where item_id = 12;

insert into trivet.run (state, dataset) values ('kept', trivet.current_dataset());
create temporary table made as select currval(pg_get_serial_sequence('trivet.run', 'id')) as id;
select lives_ok('select trivet.lists_hold(id, trivet.lists_begin(id)) from made', 'lists of a model that is kept may be stored');
create temporary table begun as select id, trivet.lists_begin(id) as forgets from made;
select trivet.forget_user(2);
select throws_ok('select trivet.lists_hold(id, forgets) from begun', 'TV001', null, 'not if somebody was forgotten since');
insert into trivet.recommendation select id, 3, 1, 10, 0.5 from made;
update trivet.run set state = 'pruned' where id in (select id from made);
select ok(not exists (select from trivet.recommendation), 'lists go as their model is called pruned');

select * from finish();
rollback;
