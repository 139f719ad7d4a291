-- The site's own views: what is not just a relation of public with names taken out (those: warehouse/site_schema.py).

create view site.version as
select v.version, v.changed_at, v.installation,
       (select count(*) + count(revoked_at) from public.identity_decision where kind in ('hide', 'merge')) as privacy
from public.data_version v;
comment on view site.version is
'How new the data is: raised by every transaction that changes what is shown. privacy: raised by every decision that may hide somebody (a merge into who is hidden does), and by every end of one. installation: which database this is.';

-- Decisions about who is who are nobody's business; what they do is in person_decided.
create view site.identity_decision as
select * from public.identity_decision where false;

create view site.post as
select thing, kind, partition_key, part, state from public.post;
comment on view site.post is 'Which messages there are: corrections are of what one of them said.';

create view site.receipt as
select r.round_key, r.made_at, site.shown_json(r.document) as document
from public.site_receipt r join public.session_round using (round_key) join public.session s using (session_key)
where s.prepared_of = greatest(s.scored_at, s.awarded_at);
comment on view site.receipt is
'What slomix explain says of a round, without names of players, where it was made of what the session is now.';

create view site.card as
select c.session_key, c.grade, site.public_guids(c.best_a) as best_a, site.public_guids(c.best_b) as best_b
from public.site_card c join public.session s using (session_key)
where s.prepared_of = greatest(s.scored_at, s.awarded_at);
comment on view site.card is 'The trust grade of sessions and who was best of each team, where it was made of what the session is now.';

create view site.news as
select n.session_key, now.ended_at, site.shown_guids(n.news) as news
from public.site_news n join public.session_news_state now using (session_key)
where n.made_of = now.made_of;
comment on view site.news is
'What fell or was reached in sessions of late, where it was made of what all of it is now.';

create view site.picture as
select p.session_key, p.position, p.name, p.alt, p.svg, p.png, p.made_at,
       p.scored_at is not distinct from s.scored_at as of_present
from public.site_picture p join public.session s using (session_key) cross join site.version v
where p.privacy = v.privacy
   or not exists (select from public.session_player h join public.hidden_player using (guid)
                  where h.session_key = p.session_key);
comment on view site.picture is
'Pictures of sessions, in order. One that was drawn before somebody in it was hidden is gone until it is drawn anew. of_present: the session was not scored anew since.';

create view site.session_report as
select session_key, changed_at from public.session_report;
comment on view site.session_report is
'When what the report of a session shows became another than it had been: null while it never did.';
