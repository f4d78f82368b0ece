# The layer rule, once: effuse_layer(<library> <level> [libraries whose headers it may include]).
# It is the link list of every library, and what tests/style/layers_test.py holds each #include against.
# A library uses lower levels, or one of its own level that it names here.
function(effuse_layer library level)
  set(EFFUSE_LEVEL_${library} ${level} PARENT_SCOPE)
  set(EFFUSE_LINKS_${library} ${ARGN} PARENT_SCOPE)
endfunction()

effuse_layer(core        0)

effuse_layer(config      1 core)
effuse_layer(hdf5        1 core)
effuse_layer(image       1 core)
effuse_layer(metrics     1 core)
effuse_layer(comm        1 core)
effuse_layer(kernels     1 core)
effuse_layer(npz         1 core)

effuse_layer(shards      2 core config hdf5 image)
effuse_layer(models      2 core config kernels)
effuse_layer(diffusion   2 core config)
effuse_layer(data        2 core config shards)
effuse_layer(checkpoint  2 core)
effuse_layer(report      2 core config image)

effuse_layer(training    3 core config metrics comm kernels models diffusion data checkpoint)
effuse_layer(generation  3 core config image npz comm shards models diffusion checkpoint)
effuse_layer(exchange    3 core config models checkpoint)
effuse_layer(evaluation  3 core config image npz shards comm checkpoint exchange)
effuse_layer(preflight   3 core hdf5 comm shards)

effuse_layer(app         4 core config image metrics npz comm shards models diffusion data checkpoint
                           training generation exchange evaluation preflight report)
