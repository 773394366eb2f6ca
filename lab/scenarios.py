"""All scenarios: importing a module registers what it holds."""

# pylint: disable=unused-import
import scenarios_client
import scenarios_device
import scenarios_first_packets
import scenarios_healthy
import scenarios_network
import scenarios_server
import scenarios_server_state
import scenarios_traps
