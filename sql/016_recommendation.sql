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

-- --- lists and what is taken out while they are made ----------------------------------------------------------

-- Lists are made without a lock, for minutes, from documents that a forget may delete meanwhile. So whoever stores them asks twice:
-- before the first document is read, and, with locks until the end of the transaction, when all are there. All who take something out
-- change one of these rows, and then delete lists: they see what was stored before, and what comes after is refused. Rows are locked in
-- one order everywhere: the run, the data set, the lists.
create or replace function trivet.lists_begin(run_id bigint) returns bigint
language sql stable as $$
    select coalesce((select d.forgets from trivet.run r join trivet.dataset d on d.id = r.dataset where r.id = lists_begin.run_id), 0)
$$;
comment on function trivet.lists_begin(bigint) is 'What trivet.lists_hold is to be given when the lists of a model are to be stored that are made from now on.';

create or replace function trivet.lists_hold(run_id bigint, forgets bigint) returns void
language plpgsql as $$
declare
    made_of bigint;
    now_at bigint;
begin
    select r.dataset into made_of from trivet.run r
    where r.id = lists_hold.run_id and r.state in ('kept', 'activating', 'live') for share;
    if not found then
        raise exception 'model % is not kept any more: it went while its lists were made', run_id
            using hint = 'nothing was changed; trivet-train models lists those that are kept', errcode = 'TV001';
    end if;
    select d.forgets into now_at from trivet.dataset d where d.id = made_of for share;
    if coalesce(now_at, 0) <> lists_hold.forgets then
        raise exception 'a user or an item was forgotten while the lists of model % were made, which may be in them', run_id
            using hint = 'nothing was changed; run this again', errcode = 'TV001';
    end if;
end
$$;
comment on function trivet.lists_hold(bigint, bigint) is 'Refuses lists of a model that is not kept any more, or of whose data set something was forgotten since trivet.lists_begin. Until the transaction ends neither can happen.';

-- A program deletes the lists of a model before it calls it gone, and some may have come in between.
create or replace function trivet.lists_go() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from trivet.recommendation l where l.run_id = new.id;
    return null;
end
$$;
comment on function trivet.lists_go() is 'The lists of a model go as it is called pruned.';

do $$
begin
    if not exists (select from pg_trigger where tgrelid = 'trivet.run'::regclass and tgname = 'run_lists') then
        create trigger run_lists after update of state on trivet.run
            for each row when (new.state in ('pruned', 'failed')) execute function trivet.lists_go();
    end if;
end
$$;
