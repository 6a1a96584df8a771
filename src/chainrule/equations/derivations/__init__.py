"""The other forms in which the sources write the same equations. Tests compare them with `chainrule.equations`, and
the worked examples show them; nothing is computed with them. Import from the modules.

    terms               which pixel, kernel entry and output place meet: the index pattern of every convolution
    literal_sums        the convolution layer as plain sums over indices, with every option
    correlation_forms   one map under one kernel: every equal form of the gradients
    convolution_forms   the same in S0's convention, which flips the kernel
    channel_forms       from one map to channels, filters, strides and padding, by the rules of S2
    convolution_matrix  the convolution layer as one sparse matrix
    matrix_calculus     the dense layer by vec and Kronecker products; `matrix_identities` are what it rests on
    chain_factors       the chain rule of a sigmoid network, factor by factor
    image_size          how the number of parameters grows with the image
"""
