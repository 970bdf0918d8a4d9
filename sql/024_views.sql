-- 024_views: the names that MovieLens analysts know, so that their old queries run as they are.

create or replace view public.ratings as
    select user_id as userid, item_id as movieid, value as rating, extract(epoch from rated_at)::bigint as "timestamp"
    from trivet.rating
    where (select trivet.check_snapshot());
comment on view public.ratings is 'ratings.csv of MovieLens: all ratings (a view on trivet.rating).';
comment on column public.ratings.userid is 'The user''s own id.';
comment on column public.ratings.movieid is 'The item''s own id.';
comment on column public.ratings.rating is 'The rating.';
comment on column public.ratings."timestamp" is 'Unix seconds; null where the source does not say.';

create or replace view public.movies as
    select item_id as movieid, coalesce(listed_title, title) as title,
           case when cardinality(genres) > 0 then array_to_string(genres, '|') else '(no genres listed)' end as genres
    from trivet.item;
comment on view public.movies is 'movies.csv of MovieLens: titles and genres (a view on trivet.item).';
comment on column public.movies.movieid is 'The item''s own id.';
comment on column public.movies.title is 'Title with its year, as the file has it: "Godfather, The (1972)". trivet.item.title has "The Godfather (1972)".';
comment on column public.movies.genres is 'Genres joined by a bar, or (no genres listed).';

create or replace view public.links as
    select item_id as movieid, ltrim(imdb_id, 't') as imdbid, tmdb_id as tmdbid
    from trivet.item
    where imdb_id is not null or tmdb_id is not null;
comment on view public.links is 'links.csv of MovieLens (a view on trivet.item).';
comment on column public.links.movieid is 'The item''s own id.';
comment on column public.links.imdbid is 'IMDb''s number with its leading zeros.';
comment on column public.links.tmdbid is 'The Movie Database''s number.';

create or replace view public.tags as
    select user_id as userid, item_id as movieid, tag, extract(epoch from tagged_at)::bigint as "timestamp"
    from trivet.tag;
comment on view public.tags is 'tags.csv of MovieLens (a view on trivet.tag).';
comment on column public.tags.userid is 'Who.';
comment on column public.tags.movieid is 'On what.';
comment on column public.tags.tag is 'The word or words.';
comment on column public.tags."timestamp" is 'Unix seconds; null where the source does not say.';
