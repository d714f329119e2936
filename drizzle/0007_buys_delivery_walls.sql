SELECT enable_tenant_wall('delivery_daily');
--> statement-breakpoint
SELECT enable_tenant_wall('delivery_slices');
--> statement-breakpoint
SELECT enable_tenant_wall('performance_feedback');
