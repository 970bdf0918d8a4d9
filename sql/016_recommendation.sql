-- 016_recommendation: lists that a model gives, where analysts can join and chart them.
--
-- The primary key serves the questions about a run and about a user. There is no index by item: it would double the time
-- of filling (a million rows: 6 s instead of 3 s), and all lists of a run are read in a tenth of a second.

create table if not exists trivet.recommendation (
    run_id  bigint not null,
    user_id bigint not null,
    rank    int    not null,
    item_id bigint not null,
    score   double precision not null,
    primary key (run_id, user_id, rank)
);
comment on table trivet.recommendation is 'What a model recommends: filled by trivet-train recommend --to postgres, one list a user. Ids are those of the model''s data set: trivet.recommended has the titles.';
comment on column trivet.recommendation.run_id is 'The model: trivet.run.id. No foreign key, which would be checked row by row.';
comment on column trivet.recommendation.user_id is 'Whom it is for.';
comment on column trivet.recommendation.rank is 'Place in the list, from 1.';
comment on column trivet.recommendation.item_id is 'What is recommended.';
comment on column trivet.recommendation.score is 'User factors times item factors: a predicted rating with als, else a relevance, to be compared within one list only.';

-- In another data set the same ids are other users and other items, so a list is shown with the titles of its own, or not at all.
create or replace view trivet.recommended as
    select l.run_id, r.state = 'live' as live, l.user_id, coalesce(u.code, l.user_id::text) as "user", l.rank,
           l.item_id, coalesce(c.code, l.item_id::text) as item, i.title, i.year, i.genres, l.score
    from trivet.recommendation l
    join trivet.run r on r.id = l.run_id
    join trivet.dataset d on d.id = r.dataset and d.current
    left join trivet.item i on i.item_id = l.item_id
    left join trivet.code u on u.kind = 'user' and u.id = l.user_id
    left join trivet.code c on c.kind = 'item' and c.id = l.item_id;
comment on view trivet.recommended is 'trivet.recommendation with titles and codes: the lists of models of the data set that is loaded, and no others.';
comment on column trivet.recommended.run_id is 'The model.';
comment on column trivet.recommended.live is 'Whether it is the live one.';
comment on column trivet.recommended.user_id is 'Whom it is for, as a number.';
comment on column trivet.recommended."user" is 'The same as the data has it: a code, or the number.';
comment on column trivet.recommended.rank is 'Place in the list, from 1.';
comment on column trivet.recommended.item_id is 'What is recommended, as a number.';
comment on column trivet.recommended.item is 'The same as the data has it.';
comment on column trivet.recommended.title is 'Its title; null if unknown.';
comment on column trivet.recommended.year is 'Year of release; null if unknown.';
comment on column trivet.recommended.genres is 'Names of genres; null or empty if unknown.';
comment on column trivet.recommended.score is 'As in trivet.recommendation: to be compared within one list only, unless it is a predicted rating.';
