-- Decisions, and what is where, are of the project of their session: the first message of those that have such facts is read
-- again, and puts them there.
INSERT INTO "outbox" ("tenant_id", "topic", "session_id", "first_seq", "last_seq")
SELECT DISTINCT f."tenant_id", 'learn', f."session_id", 1, 1
FROM "facts" f JOIN "sessions" s ON s."tenant_id" = f."tenant_id" AND s."id" = f."session_id"
WHERE s."metadata" IS NOT NULL AND (f."kind" = 'decision' OR f."subject_term" IS NOT NULL);
