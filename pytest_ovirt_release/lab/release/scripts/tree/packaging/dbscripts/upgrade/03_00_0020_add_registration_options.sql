INSERT INTO vdc_options (option_name, option_value) VALUES
    ('AutoApprovePatterns', ''),
    ('AutoRegistrationDefaultClusterID', (SELECT cluster_id::text FROM cluster WHERE name = 'Default')),
    ('vdsTimeout', '180'),
    ('VdcVersion', '3.0.0.0');
