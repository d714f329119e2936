-- Creatives that waited before there was a queue for them. The owner is not above the walls either: they open to it for this statement.
ALTER TABLE creatives NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE workflow_steps NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
INSERT INTO workflow_steps (tenant_id, id, kind, state, creative_id, created_at, updated_at)
  SELECT tenant_id, gen_random_uuid(), 'creative_review', 'requires_approval', id, updated_at, now() FROM creatives WHERE status = 'pending_review' AND archived_at IS NULL;
--> statement-breakpoint
ALTER TABLE creatives FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE workflow_steps FORCE ROW LEVEL SECURITY;
