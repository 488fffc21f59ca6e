"""The names of metrics and labels that a configuration may speak of: ours, and LiteLLM's.

Counters are named without their `_total`. LiteLLM's are those of its documentation
(docs.litellm.ai, "Prometheus metrics", seen 2026-11).
"""

from __future__ import annotations

from typing import Final

_SERVED: Final = """
    litellm_api_key_budget_remaining_hours_metric litellm_api_key_max_budget_metric
    litellm_cache_hits_metric litellm_cache_misses_metric litellm_cached_tokens_metric
    litellm_callback_logging_failures_metric litellm_deployment_cooled_down
    litellm_deployment_failed_fallbacks litellm_deployment_failure_responses
    litellm_deployment_latency_per_output_token litellm_deployment_rpm_limit
    litellm_deployment_state litellm_deployment_success_responses
    litellm_deployment_successful_fallbacks litellm_deployment_total_requests
    litellm_deployment_tpm_limit litellm_guardrail_errors litellm_guardrail_latency_seconds
    litellm_guardrail_requests litellm_in_flight_requests
    litellm_input_cache_creation_tokens_metric litellm_input_cached_tokens_metric
    litellm_input_tokens_metric litellm_llm_api_failed_requests_metric
    litellm_llm_api_latency_metric litellm_llm_api_time_to_first_token_metric
    litellm_output_reasoning_tokens_metric litellm_output_tokens_metric
    litellm_overhead_latency_metric litellm_provider_remaining_budget_metric
    litellm_proxy_failed_requests_metric litellm_proxy_total_requests_metric
    litellm_remaining_api_key_budget_metric litellm_remaining_requests_metric
    litellm_remaining_team_budget_metric litellm_remaining_tokens_metric
    litellm_remaining_user_budget_metric litellm_request_queue_time_seconds
    litellm_request_total_latency_metric litellm_requests_metric litellm_spend_metric
    litellm_team_budget_remaining_hours_metric litellm_team_max_budget_metric
    litellm_total_tokens_metric litellm_user_budget_remaining_hours_metric
    litellm_user_max_budget_metric litellm_zero_cost_requests
    tiergate_broken_streams tiergate_budget_forecast_usd tiergate_budget_held_usd
    tiergate_budget_limit_usd tiergate_budget_spent_usd tiergate_cache_compared
    tiergate_cache_lookups tiergate_cache_saved_usd tiergate_callback_dropped_records
    tiergate_deployments tiergate_escalations tiergate_fallback_upgrade_cost_usd
    tiergate_fallback_upgrades tiergate_guardrail_findings tiergate_ledger_lag_seconds
    tiergate_ledger_waiting_records
    tiergate_prompt_cache_expected_read_tokens tiergate_prompt_cache_expected_tokens
    tiergate_prompt_cache_input_tokens tiergate_prompt_cache_lost_cost_usd
    tiergate_prompt_cache_lost_tokens tiergate_prompt_cache_read_tokens
    tiergate_prompt_cache_saved_usd tiergate_prompt_cache_writes_usd
    tiergate_prompt_cache_written_tokens tiergate_prompt_prefix_drifts tiergate_store_up
    tiergate_tier_calls tiergate_tier_cost_usd tiergate_tier_target_share
    tiergate_workers
"""
SERVED: Final = frozenset(_SERVED.split())
"""Metrics that the page has."""

_NOT_SERVED: Final = """
    litellm_admission_admitted_requests litellm_admission_queued_requests
    litellm_admission_rejected_requests litellm_check_batch_cost_errors
    litellm_check_batch_cost_jobs_polled litellm_check_batch_cost_jobs_processed
    litellm_check_batch_cost_last_run_timestamp litellm_customer_budget_remaining_hours_metric
    litellm_customer_max_budget_metric litellm_input_audio_tokens_metric
    litellm_managed_batch_created litellm_managed_batch_duration_seconds
    litellm_managed_file_created litellm_managed_file_deleted litellm_managed_file_size_bytes
    litellm_mcp_tool_call_spend_metric litellm_mcp_tool_calls
    litellm_org_budget_remaining_hours_metric litellm_org_max_budget_metric
    litellm_output_audio_tokens_metric litellm_overhead_with_guardrails_latency_metric
    litellm_remaining_api_key_requests_for_model litellm_remaining_api_key_tokens_for_model
    litellm_remaining_customer_budget_metric litellm_remaining_org_budget_metric
    litellm_spend_capture_rate
"""
NOT_SERVED: Final = frozenset(_NOT_SERVED.split())
"""Metrics of LiteLLM that the page does not have; a file may name them all the same."""

_LABELS: Final = """
    action api_base api_key_alias api_provider callback_name client_ip end_user error_type
    exception_class exception_status fallback_model guardrail_name hashed_api_key hook_type
    layer litellm_model_name model model_group model_id name org_alias org_id part reason
    requested_model result route scope service_tier state status status_code store stream team
    team_alias user user_agent user_email window
"""
LABELS: Final = frozenset(_LABELS.split())
"""Every label of these metrics, without those that a configuration adds."""

_LITELLM_LABELS: Final = """
    input_sequence_length mcp_server_name mcp_tool_name purpose file_type rate_limit_category
    rate_limit_type error_class function_name
"""
LITELLM_LABELS: Final = frozenset(_LITELLM_LABELS.split())
"""Labels of metrics that the page does not have."""
