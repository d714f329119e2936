SELECT enable_tenant_wall('proposals');
