"""What tests share: a scripted upstream, wire builders, the gateway as a process, a raw client."""
