// What several verbs need: reading input files, saying faults, a Schema with packages.
#pragma once

#include "gateway/definitions/definitions.h"
#include "gateway/fhir/forms.h"
#include "gateway/mapping/loss.h"
#include "gateway/mapping/mapping.h"

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::app {

/// The whole file, or standard input for "-". On failure says so on stderr.
bool readInput(const std::string& path, std::string& bytes);

/// Where Debian keeps the fonts of letters.
std::vector<std::string> defaultFontDirectories();

/// Faults of maps begin with their place, since they also go where nobody says it: the place ("m.map:2:7") and the
/// rest. Other issues have no place there.
std::pair<std::string_view, std::string_view> placeAndText(const fhir::Issue& issue);

/// One line an issue on stderr: "file:line:column: error: text (expression)".
void printIssues(const std::string& file, const fhir::Issues& issues);

/// A FHIR resource in JSON or XML: the first character that is no blank tells which.
Result<fhir::Document> readResource(std::string_view bytes, const std::shared_ptr<const fhir::Schema>& schema,
                                    const fhir::ReadOptions& options, fhir::Issues& issues);
/// The same in the format that is named ("json", "xml"), indented.
Result<std::string> writeResource(const fhir::Document& document, std::string_view format);

/// R4 plus the packages; nullptr after telling the faults on stderr.
std::shared_ptr<const definitions::Definitions> definitionsWith(const std::vector<std::string>& packages);
std::shared_ptr<const fhir::Schema> schemaWith(const std::vector<std::string>& packages);

/// What the .drop file beside the entry map says, empty if there is none; nullopt after telling the faults on stderr.
std::optional<mapping::DropList> dropsOf(const std::string& entryMap, const mapping::Library& library);

/// The compiled maps of these files, the first being the entry; nullopt after telling the faults on stderr.
std::optional<mapping::Library> mapsOf(const std::vector<std::string>& files,
                                       const std::shared_ptr<const definitions::Definitions>& definitions);

}  // namespace lotsen::app
