-- Codes: which ids are their own numbers, and the ways between text and number.
begin;
select plan(20);

delete from trivet.rating;
delete from trivet.code;
select is(trivet.code_number(t), n, format('%L', t)) from (values ('0', 0::bigint), ('42', 42), ('-7', -7), ('007', null), ('-0', null),
    ('+1', null), ('', null), ('f3a1', null), ('9223372036854775807', 9223372036854775807), ('9223372036854775808', null),
    ('8000000000000000', null), ('7999999999999999', 7999999999999999), ('9000000000000000', 9000000000000000)) v (t, n);

insert into trivet.code values ('user', 8000000000000000, 'ann'), ('item', 8000000000000001, 'ann');
select results_eq($$select trivet.user_id('ann'), trivet.item_id('ann'), trivet.user_id('5'), trivet.user_id('bob'), trivet.user_code(8000000000000000), trivet.item_code(5)$$,
    $$values (8000000000000000, 8000000000000001, 5::bigint, null::bigint, 'ann'::text, '5'::text)$$, 'both ways; users and items are apart');
select is(trivet.code_id('user', 'ann'), 8000000000000000, 'a known code');
select is(trivet.code_id('user', '5'), 5::bigint, 'a number needs no entry');
select ok(trivet.code_id('user', 'bob') >= 8500000000000000, 'a new one gets a number');
select is(trivet.code_id('user', 'bob'), trivet.user_id('bob'), 'once');
select throws_ok($$select trivet.code_id('user', repeat('x', 256))$$, '23514', null, 'at most 255 bytes');

insert into trivet.rating (user_id, item_id, value) values (8000000000000000, 1, 2), (5, 1, 3);
select results_eq('select item_id, element, value from trivet.audience order by 2', $$values (1::bigint, '5'::text, 3::real), (1, 'ann', 2)$$, 'the text of each user');

select * from finish();
rollback;
