-- Similar items: what the trigger writes down, for which index, and how the journal follows Redis.
begin;
select plan(29);

create function pg_temp.events() returns setof text language sql as
$$ select index_id || ':' || user_id || ':' || item_id from trivet.similar_event where applied_at is null order by id $$;

insert into trivet.rating (user_id, item_id, value, rated_at) values (1, 10, 5, '2020-01-01'), (2, 10, 2, null), (1, 11, 1, '2010-01-01');
select is_empty('select pg_temp.events()', 'without an index nothing is written down');
select is((select count(*) from trivet.similar_rows()), 3::bigint, 'all ratings');
select is((select count(*) from trivet.similar_rows(min_rating => 2)), 2::bigint, 'from a rating on');
select is((select count(*) from trivet.similar_rows(rated_since => '2015-01-01')), 1::bigint, 'since a moment, which an unknown time is not');

create temp table number as select trivet.similar_begin('trivet.similar_rows()', false, 128) as id;
insert into trivet.rating (user_id, item_id, value) values (3, 10, 4);
update trivet.rating set value = 3 where user_id = 3;
update trivet.rating set item_id = 12 where user_id = 3;
delete from trivet.rating where user_id = 2;
select results_eq('select pg_temp.events()', $$select id || e from number, unnest(array[':3:10', ':3:10', ':3:10', ':3:12', ':2:10']) e$$,
    'each pair whose ratings change, both of an item that moves');

select trivet.similar_settle((select id from number));
create temp table second as select trivet.similar_begin('trivet.similar_rows()', false, 128) as id;
delete from trivet.similar_event;
delete from trivet.rating where item_id = 12;
select results_eq('select pg_temp.events()', $$select (select id from number) || ':3:12' union all select (select id from second) || ':3:12'$$,
    'for the one that serves and the one that is built');

select trivet.similar_applied((select id from number), (select array_agg(id) from trivet.similar_event where index_id = (select id from number)), 7);
select results_eq('select pg_temp.events()', $$select id || ':3:12' from second$$, 'what was applied waits no longer');
select is((select changes from trivet.similar_index where id = (select id from number)), 7::bigint, 'the count of changes is remembered');
select is(trivet.similar_again((select id from number), 3), 1::bigint, 'it waits again where Redis has lost it');
select is((select changes from trivet.similar_index where id = (select id from number)), 3::bigint, 'and the smaller count counts');
update trivet.similar_event set applied_at = now() - interval '11 minutes' where index_id = (select id from number);
select trivet.similar_applied((select id from second), '{}', 0);
select is((select count(*) from trivet.similar_event), 1::bigint, 'what was applied long ago is forgotten');

select trivet.similar_settle((select id from second));
select results_eq('select state from trivet.similar_index order by id', $$values ('dropped'), ('live')$$, 'another index is live');
select trivet.similar_settle(0, array[(select id from second)]);
select results_eq('select state from trivet.similar_index order by id', $$values ('dropped'), ('dropped')$$, 'Redis has lost it');
select is_empty('select * from trivet.similar_event', 'and nobody waits for events');

-- Indices of several data sets: one of each is kept, and events are for those of the current one.
create temp table a as select trivet.current_dataset() as id;
create temp table b as select trivet.dataset_named('b') as id; -- the first one had no name yet, and has this one now
insert into trivet.dataset (name) values ('c');
create temp table c as select id from trivet.dataset where name = 'c';
delete from trivet.similar_index;
create function pg_temp.stored(state text, dataset bigint) returns bigint language sql as
$$ insert into trivet.similar_index (state, source, signature_size, dataset) values (stored.state, 'trivet.similar_rows()', 128, stored.dataset) returning id $$;
create function pg_temp.states() returns setof text language sql as $$ select state from trivet.similar_index order by id $$;
create temp table of as select pg_temp.stored('live', (select id from a)) as first, 0::bigint as second;
insert into trivet.rating (user_id, item_id, value) values (5, 10, 4);
select results_eq('select index_id from trivet.similar_event', 'select first from of', 'an index of the current data set is told');
select trivet.use_dataset((select id from c));
insert into trivet.rating (user_id, item_id, value) values (6, 10, 4);
select is((select count(*) from trivet.similar_event), 1::bigint, 'one of another data set is not');
update of set second = pg_temp.stored('building', (select id from c));
select is(trivet.similar_wanted((select second from of), '{}'), (select second from of), 'without a model, what was switched to serves');
select is(trivet.similar_settle((select second from of)), 2::bigint, 'two of the journal change');
select results_eq('select pg_temp.states()', $$values ('kept'), ('live')$$, 'another data set''s index takes no place, and is kept');
select is((select count(*) from trivet.similar_event), 1::bigint, 'with its events');
select is(trivet.similar_settle((select second from of)), 0::bigint, 'settled is settled');
insert into trivet.rating (user_id, item_id, value) values (7, 10, 4);
select results_eq('select index_id from trivet.similar_event order by id', 'select unnest(array[first, second]) from of', 'each hears of its own');
select is(trivet.similar_wanted(0, '{}'), (select second from of), 'where Redis shows none, that of the current data set is wanted');
select is(trivet.similar_wanted(0, array[(select second from of)]), 0::bigint, 'if Redis holds it');
insert into trivet.run (kind, state, dataset, command, parameters, filter, source) select 'fit', 'live', a.id, '', '{}', '{}', '' from a;
select is(trivet.similar_wanted((select second from of), '{}'), (select second from of), 'a model of another data set than the loaded one moves nothing');
select trivet.use_dataset((select id from a));
select is(trivet.similar_wanted((select second from of), '{}'), (select first from of), 'a model of the loaded one brings its index');
select trivet.similar_settle((select first from of), array[(select second from of)]);
select results_eq('select pg_temp.states()', $$values ('live'), ('dropped')$$, 'one that Redis has lost is over');
update trivet.similar_index set state = 'kept' where id = (select second from of);
select trivet.drop_dataset((select id from c));
select results_eq('select pg_temp.states()', $$values ('live'), ('dropped')$$, 'one of a dropped data set, too');
select is((select count(*) from trivet.similar_event where index_id = (select second from of)), 0::bigint, 'and so are its events');

select * from finish();
rollback;
