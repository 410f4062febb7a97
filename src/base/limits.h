// Bounds on everything that a peer can choose, in one place, with their reasons.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace district::limits {

using namespace std::chrono_literals;

// XML structure. The field's largest legitimate messages nest 12 deep with 6 attributes.
inline constexpr std::size_t kXmlDepthMax = 64;
inline constexpr std::size_t kXmlAttributesPerTagMax =
    64;  // libxml2 checks duplicates quadratically
inline constexpr std::size_t kXmlTagBytesMax = 64 * 1024;
// Text between two tags, comments and CDATA included.
inline constexpr std::size_t kXmlTextBytesMax = 128 * 1024;
inline constexpr std::size_t kXmlNameBytesMax = 1024;
// Names of elements and attributes, prefixes and namespaces are what libxml2 keeps for a document.
inline constexpr std::size_t kXmlDistinctNamesMax = 1024;
inline constexpr std::size_t kXmlNamesBytesMax = 1024 * 1024;
// Looking up a prefix costs a step for each declaration in scope; real clients have 3 to 15.
inline constexpr std::size_t kXmlNamespacesInScopeMax = 128;
inline constexpr std::size_t kXmlIdsMax = 1024;  // real clients set up to 20
inline constexpr std::size_t kXmlElementsMax = 20'000'000;

// An envelope of up to so many decoded octets is handled whole, in memory; this much of a larger
// one is taken off the network ahead of its verification.
inline constexpr std::size_t kWholeOctetsMax = std::size_t{1024} * 1024;
// The octets of a larger one come in blocks of about this size.
inline constexpr std::size_t kBlockOctets = std::size_t{64} * 1024;

// Envelope and Header up to the Body's start tag, as UTF-8: all that is read of a message whose
// sender is not known. The largest header of a real client has 12 KB.
inline constexpr std::size_t kHeaderOctetsMax = 128 * 1024;
// Elements, attributes, namespace declarations and comments in it, since each becomes a node of a
// tree; real clients send up to 150.
inline constexpr std::size_t kHeaderNodesMax = 4096;
static_assert(kHeaderOctetsMax <= kWholeOctetsMax / 2,
              "UTF-16 takes two octets where UTF-8 takes one");

// WS-Security. A reference costs a digest; real clients send 2 to 6.
inline constexpr std::size_t kSignedReferencesMax = 16;
inline constexpr std::size_t kTransformsPerReferenceMax = 2;  // enveloped-signature, exc-c14n
inline constexpr std::size_t kPrefixListMax = 32;  // each prefix is looked up for each element
// As base64. A path of four certificates with RSA keys of 4096 bits has 11 KB; what OpenSSL does
// with the extensions of an unknown certificate is 0.1 ms for each KiB.
inline constexpr std::size_t kTokenBytesMax = 16 * 1024;
inline constexpr std::size_t kPkiPathCertificatesMax = 8;
// RFC 5280 section 4.1.2.2 has 20; some authorities put a zero octet before them.
inline constexpr std::size_t kSerialNumberBytesMax = 21;
inline constexpr std::size_t kRsaModulusBitsMin = 2048;
inline constexpr std::size_t kRsaModulusBitsMax = 8192;  // bounds the work for an untrusted key
inline constexpr std::size_t kRsaExponentBitsMax = 32;

// What may be read behind a good header that then turns out not to sign it: Bodies of one
// SignedInfo that fail, their number and octets, and octets of large envelopes that one signer has
// under way. An envelope that costs no more than a stranger's may is not counted, so that whoever
// captures the header of a small one cannot keep the true one from being read.
inline constexpr std::size_t kFailedBodiesMax = 16;
inline constexpr std::uint64_t kFailedOctetsMax = std::uint64_t{1} << 30U;
inline constexpr std::size_t kUncountedOctetsMax = 128 * 1024;
inline constexpr std::size_t kFailedBodiesRemembered = 4096;
inline constexpr std::uint64_t kOctetsUnderWayPerSignerMax = std::uint64_t{1} << 30U;

// Defaults of the settings of the same meaning.
inline constexpr auto kCreatedAgeMax = 5min;
inline constexpr auto kCreatedAheadMax = 60s;
inline constexpr auto kMessageAheadRejected = 24h;
inline constexpr auto kMessageAheadFlagged = 60s;

inline constexpr std::size_t kViolationsMax = 20;
inline constexpr std::size_t kViolationReasonBytesMax = 300;

}  // namespace district::limits
