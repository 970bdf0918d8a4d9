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
comment on table trivet.recommendation is 'What a model recommends: filled by trivet-train recommend --to postgres, one list a user.';
comment on column trivet.recommendation.run_id is 'The model: trivet.run.id. No foreign key, which would be checked row by row.';
comment on column trivet.recommendation.user_id is 'Whom it is for.';
comment on column trivet.recommendation.rank is 'Place in the list, from 1.';
comment on column trivet.recommendation.item_id is 'What is recommended.';
comment on column trivet.recommendation.score is 'User factors times item factors: a predicted rating with als, else a relevance, to be compared within one list only.';
