"""All scenarios: importing a module registers what it holds."""

import scenarios_healthy  # pylint: disable=unused-import
import scenarios_network  # pylint: disable=unused-import
