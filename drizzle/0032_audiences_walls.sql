SELECT enable_tenant_wall('audiences');
--> statement-breakpoint
SELECT enable_tenant_wall('audience_members');
