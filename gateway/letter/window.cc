#include "gateway/letter/window.h"

namespace lotsen::letter {

namespace {

/// Where the ink of a run can be: a little more than the faces in use reach above and below the baseline.
Box inkOf(const GlyphRun& run) {
  return {run.x, run.baseline - run.size, run.width, run.size * 1.3};
}

bool contains(const Box& outer, const Box& inner) {
  return inner.x >= outer.x && inner.y >= outer.y && inner.right() <= outer.right() && inner.bottom() <= outer.bottom();
}

bool overlap(const Box& a, const Box& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

}  // namespace

bool windowIsRight(const DisplayList& list, const PrintProfile& profile, fhir::Issues& issues) {
  const Box& window = profile.window;
  const double inset = profile.windowInset;
  const Box safe{window.x + inset, window.y + inset, window.width - 2 * inset, window.height - 2 * inset};
  bool seen = false;
  bool outside = false;
  bool foreign = false;
  bool occupied = false;
  for (const GlyphRun& run : list.pages.front().runs) {
    const Box ink = inkOf(run);
    for (const Box& free : profile.keepFree) occupied = occupied || overlap(free, ink);
    if (run.element == list.address && run.element != kDecoration) {
      seen = true;
      outside = outside || !contains(safe, ink);
    } else {
      foreign = foreign || overlap(window, ink);
    }
  }
  for (const Rule& rule : list.pages.front().rules) foreign = foreign || overlap(window, rule.box);
  const auto fault = [&](const char* text) {
    fhir::Issue issue;
    issue.code = "business-rule";
    issue.rule = "letter-window";
    issue.text = text;
    issue.source = profile.file;
    issues.add(std::move(issue));
  };
  if (!seen) fault("no address can be seen in the window; give the letter one");
  if (outside) fault("the address does not fit in the window; shorten its lines, or send the letter by hand");
  if (foreign)
    fault("text that is not the address can be seen in the window; change the print profile or the template");
  if (occupied)
    fault("text stands where the print profile wants the page free; change the print profile or the template");
  return seen && !outside && !foreign && !occupied;
}

}  // namespace lotsen::letter
