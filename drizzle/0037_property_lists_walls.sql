SELECT enable_tenant_wall('property_lists');
