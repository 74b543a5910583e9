using Gateway.Host.Commands;

return await Verbs.RunAsync(args);
