#include "gateway/fhirpath/html_checks.h"

#include <gtest/gtest.h>

#include <string>

namespace lotsen::fhirpath {
namespace {

TEST(HtmlChecks, AllowsNarratives) {
  for (const char* right : {R"(<div xmlns="http://www.w3.org/1999/xhtml">text</div>)",
                            R"(<div><p class="a">x<br/>y &amp; z</p><img src="#i" alt="i"/></div>)",
                            R"(<div><table border="1"><tr><td colspan="2">1</td></tr></table><!-- note --></div>)",
                            R"(<div><a href="http://x">x</a></div>)"}) {
    EXPECT_TRUE(isAllowedNarrative(right)) << right;
  }
}

TEST(HtmlChecks, RefusesWhatIsNoNarrative) {
  for (const char* wrong :
       {"", "text", "<p>x</p>", "<div></div>", "<div> </div>", "<div>x", "<div><script>x</script></div>",
        R"(<div onclick="x">x</div>)", R"(<div><a href="javascript:x">x</a></div>)", "<div>x</p></div>",
        "<div>x</div><div>y</div>", "<div>a & b</div>", "<div><form>x</form></div>", "<div a>x</div>",
        "<div><p>x</div></p>", "<div>x<!-- </div>", "<div/>"}) {
    EXPECT_FALSE(isAllowedNarrative(wrong)) << wrong;
  }
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "<div>";
  EXPECT_FALSE(isAllowedNarrative(deep));
}

}  // namespace
}  // namespace lotsen::fhirpath
