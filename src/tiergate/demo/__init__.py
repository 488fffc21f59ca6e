"""A guided tour: the gateway and scripted providers in one process, no keys, no services."""
