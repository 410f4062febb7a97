// What a header says of itself, for the diagnosis of a rejection: read leniently from whatever is
// there, since it may be refused for its shape. Nothing is judged or believed here.
#pragma once

#include <string>

#include "base/diagnosis.h"
#include "trust/snapshot.h"
#include "xml/document.h"

namespace district::verify {

// How a KeyInfo refers to its key, in a few words: "BinarySecurityToken X509v3". Where it names a
// certificate that is not in the message, by what.
std::string describe_key_reference(xml::Element key_info, xml::Element security);

// Adds the facts of the header to what the error's diagnosis has. `head`: of the whole envelope, or
// up to its Body's start tag. `trust`: null: not asked yet. `now`: the clock that it was judged by.
Error with_header_facts(Error error, const xml::Document& head, const trust::TrustSnapshot* trust,
                        Instant now);

}  // namespace district::verify
