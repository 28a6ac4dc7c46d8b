// Values into a template: Template + source Bundle → Document.
// Used by: render.h. Thread rule: any thread; the source belongs to it for the time. Failure rule: all faults of the
// letter go to `issues`, each naming its variable; the result is then Invalid and no part of the letter exists.
#pragma once

#include "gateway/letter/document.h"
#include "gateway/letter/template.h"

namespace lotsen::letter {

Result<Document> fill(const Template& letter, const fhir::Document& source, Instant now, fhir::Issues& issues);

}  // namespace lotsen::letter
