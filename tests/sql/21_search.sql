-- Searches: a fingerprint once, a trial once, a value or a reason, and a search goes with its trials.
begin;
select plan(5);

insert into trivet.search (fingerprint, command, flags, metric, trials) values ('f', 'trivet-train search', '[]', 'rmse', 2);
select throws_ok($$insert into trivet.search (fingerprint, command, flags, metric, trials) values ('f', '', '[]', 'rmse', 1)$$,
    '23505', null, 'the same search is one row');
insert into trivet.search_result (search_id, number, settings, seconds, value, low, high)
    select id, 1, '{"factors": 8}', 0.5, 0.9, 0.8, 1 from trivet.search;
select throws_ok($$insert into trivet.search_result (search_id, number, settings, seconds, value)
    select id, 1, '{}', 1, 0.9 from trivet.search$$, '23505', null, 'a trial is done once');
select throws_ok($$insert into trivet.search_result (search_id, number, settings, seconds)
    select id, 2, '{}', 1 from trivet.search$$, '23514', null, 'without a value there is a reason');
select lives_ok($$insert into trivet.search_result (search_id, number, settings, seconds, message)
    select id, 2, '{}', 1, 'too many factors' from trivet.search$$, 'a trial that could not be learned');
delete from trivet.search;
select is_empty('select * from trivet.search_result', 'a search goes with its trials');

select * from finish();
rollback;
