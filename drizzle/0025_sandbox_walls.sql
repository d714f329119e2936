SELECT enable_tenant_wall('sandbox_fixtures');
