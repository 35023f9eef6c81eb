-- What runs is counted at every claim, per tenant and per cluster. The end of the lease is left out: renewing it then touches no index.

create index operations_running_idx on operations (store_id) where status = 'running';
