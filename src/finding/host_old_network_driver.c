/* client.old-network-driver, server.old-network-driver: the network card's driver is old. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    ACTION_NETWORK_DRIVER,
    "Install the card maker's newest driver, and its firmware. For virtual cards update VMware Tools or the guest's "
    "Windows.",
    NULL,
};

const struct detector host_old_network_driver[SIDES] = HOST_DETECTORS(
    "old-network-driver", .title = "The network card's driver is old",
    .holds_when = "SQLCHECK warns \"Network driver may be out of date\": the driver's date lies more than two years "
                  "back. Virtual cards do "
                  "not count: the date of their in-box driver never changes (Hyper-V: 6-21-2006).",
    .means = "Old network drivers are among the most common reasons of packets that get lost now and then. The date "
             "alone proves nothing: "
             "update the driver and see whether the losses stop. (Article, 1.3.2.)",
    .actions = actions, .unread_evidence = "SQLCHECK reports (Network Adapters)", .severity = SEVERITY_NOTE);
