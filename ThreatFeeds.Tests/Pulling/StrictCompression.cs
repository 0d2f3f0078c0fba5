using System.Runtime.CompilerServices;
using ThreatFeeds.Pulling;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>The switch is read by the first decompression of the process, which may be another test's.</summary>
internal static class StrictCompression
{
#pragma warning disable CA2255 // The test assembly is the application here.
    [ModuleInitializer]
    internal static void Set() => AppContext.SetSwitch(BodySpool.StrictValidation, true);
#pragma warning restore CA2255
}
