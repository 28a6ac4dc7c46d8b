// The window gate: a last look at the finished pages, independent of how they were laid out. Every line of the address
// is inside the safe part of the window, nothing else can be seen in it, and what the printer needs is free. A letter
// that fails would show a stranger what is none of his business, or not arrive. Used by: render.h. Thread rule: pure.
// Failure rule: issues with the rule "letter-window"; false then.
#pragma once

#include "gateway/fhir/issues.h"
#include "gateway/letter/display_list.h"
#include "gateway/letter/profile.h"

namespace lotsen::letter {

bool windowIsRight(const DisplayList& list, const PrintProfile& profile, fhir::Issues& issues);

}  // namespace lotsen::letter
