-- 005_publish: what the trainer reads beside the filter: item documents and example users.

create or replace view trivet.item_document as
    with rated as (
        select item_id, count(*) as n, avg(value) as mean from trivet.rating where (select trivet.check_snapshot()) group by item_id
    ), core as (
        select item_id, i.extra, jsonb_build_object(
               '_id', item_id, 'title', i.title, 'year', i.year, 'genres', coalesce(to_jsonb(i.genres), '[]'),
               'imdb_id', i.imdb_id, 'tmdb_id', i.tmdb_id,
               'n', coalesce(r.n, 0), 'mean', r.mean)
               || case when c.code is null then '{}' else jsonb_build_object('code', c.code) end
               || case when l.rev is null then '{}' else jsonb_build_object('rev', l.rev) end as core
        from trivet.item i full join rated r using (item_id) left join trivet.code c on c.kind = 'item' and c.id = item_id
             left join trivet.item_change l using (item_id)
    )
    select item_id, (coalesce(extra, '{}') || core)::text as document, core::text as core from core;
comment on view trivet.item_document is 'One JSON document an item, listed or only rated: what MongoDB''s collection item holds.';
comment on column trivet.item_document.item_id is 'The item.';
comment on column trivet.item_document.document is 'title, year, genres, ids, n (rating rows), mean, code where the item has one, rev where it was ever rated live, and every field of extra.';
comment on column trivet.item_document.core is 'The same without the fields of extra: for an item whose document MongoDB cannot hold.';

create or replace function trivet.example_users()
returns table (user_id bigint, ratings bigint, label text)
language sql stable parallel safe as $$
    with activity as materialized (
        select r.user_id, count(*) as n from trivet.rating r where (select trivet.check_snapshot()) group by r.user_id
    ), place as (
        select a.user_id, a.n, percent_rank() over (order by a.n, a.user_id) as p from activity a
    ), by_activity as (
        select distinct on (w.label) p.user_id, p.n, w.label, w.nr
        from (values (1, 'rates little', 0.05), (2, 'an ordinary user', 0.5), (3, 'rates a lot', 0.98)) w (nr, label, at)
        cross join place p
        order by w.label, abs(p.p - w.at), p.user_id
    ), candidates as materialized (
        -- Some 200 users of middling activity, chosen by a stable hash: enough tastes, and quick to join.
        select p.user_id, p.n from place p
        where p.p between 0.3 and 0.9 and p.user_id not in (select b.user_id from by_activity b)
        order by hashint8extended(p.user_id, 1) limit 200
    ), taste as (
        select c.user_id, c.n, g.genre, count(*)::float8 / c.n as share
        from candidates c join trivet.rating r on r.user_id = c.user_id
        join trivet.item i on i.item_id = r.item_id cross join unnest(i.genres) g (genre)
        group by c.user_id, c.n, g.genre
    ), lifted as (
        select t.*, t.share - avg(t.share) over (partition by t.genre) as lift from taste t
    ), per_user as (
        select distinct on (l.user_id) l.* from lifted l order by l.user_id, l.lift desc, l.genre
    ), per_genre as (
        select distinct on (u.genre) u.* from per_user u order by u.genre, u.lift desc, u.user_id
    ), by_taste as (
        select g.user_id, g.n, 'likes ' || g.genre as label, 3 + row_number() over (order by g.lift desc, g.genre) as nr
        from per_genre g order by g.lift desc, g.genre limit 3
    ), filler as (
        -- Without genres: more places in the order of activity.
        select distinct on (w.at) p.user_id, p.n, 'another user' as label, 6 + w.nr as nr
        from (values (1, 0.25), (2, 0.75), (3, 0.9)) w (nr, at) cross join place p
        order by w.at, abs(p.p - w.at), p.user_id
    ), everybody as (
        select * from by_activity union all select * from by_taste union all select * from filler
    ), once as (
        select distinct on (e.user_id) e.* from everybody e (user_id, n, label, nr) order by e.user_id, e.nr
    )
    select o.user_id, o.n, case when k.counts then regexp_replace(o.label, '^rates ', 'plays ') else o.label end
    from once o, (select trivet.holds_counts() as counts) k
    order by o.nr limit 6
$$;
comment on function trivet.example_users() is 'Up to six users to start with: light, ordinary, heavy, and three with a taste of their own.';
