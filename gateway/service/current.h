// The configuration in force: read by every request and pass, swapped as a whole on reload. Thread rule: any thread.
#pragma once

#include "gateway/base/in_force.h"
#include "gateway/service/configuration.h"

namespace lotsen::service {

using Current = InForce<Configuration>;

}  // namespace lotsen::service
