// Mappings and templates: the folder with channels (mappings/*/channels.conf), legs (mappings/out/legs.conf), maps and
// every definition that lies beside them (logical models, profiles, code systems, messages …), FHIR packages, and the
// folder with letter templates, compiled into a Configuration. Used by: loader.h. Failure rule: as there.
#pragma once

#include "gateway/app/sections.h"
#include "gateway/service/configuration.h"

namespace lotsen::app {

struct ShippedFolders {
  std::string mappings, templates, printProfile;
  std::vector<std::string> packages = {};  // FHIR packages: .tgz files or folders
};

/// Appends all that it reads to `text` (the configuration's revision is a digest over it).
void readShipped(const ShippedFolders& folders, service::Configuration& configuration, std::string& text,
                 Faults& faults);

}  // namespace lotsen::app
