using System.Buffers;
using System.Text;
using ThreatFeeds.Pushing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Tests.Support;

/// <summary>Documents as a client writes them.</summary>
internal static class Documents
{
    public static PushDocument Of(ContentKind content, string text) => PushDocument.Read(content, new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text)), CancellationToken.None);
}
