INSERT INTO storage_pool (id, name, is_local, status)
VALUES (gen_random_uuid(), 'Default', false, 0);

INSERT INTO cluster (cluster_id, name, storage_pool_id)
SELECT gen_random_uuid(), 'Default', id FROM storage_pool WHERE name = 'Default';
