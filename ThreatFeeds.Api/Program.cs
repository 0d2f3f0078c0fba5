using ThreatFeeds.Api.Commands;

return await CommandLine.RunAsync(args);
